"""Our Lua through Jupytext, and Jupytext's through us: the same cells."""
import subprocess
import sys

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

program = sys.argv[1]
notebook = new_notebook(
    cells=[
        new_markdown_cell("# A title\n\n- one\n- two", metadata={"tags": ["x", "y z"]}),
        new_code_cell("rate = 0.5\nname = 'é'", metadata={"tags": ["parameters"], "n": 3, "f": 1.5, "b": True}),
        new_code_cell("for i = 1, 2 do\n  print(i)\n\n  print(-i)\nend", metadata={"title": "A loop"}),
        new_code_cell(""),
        new_raw_cell("raw\n\ntext", metadata={"raw_mimetype": "text/x", "o": {"a": [1, None, "b"]}}),
        new_code_cell("function f(x)\n  return x * 2 -- twice\nend"),
        new_markdown_cell("last"),
    ],
    metadata={"kernelspec": {"display_name": "Lua (mtrepl)", "language": "lua", "name": "mtrepl"},
              "title": "it's: a long title that is folded by those who write YAML, as it has more than eighty characters",
              "authors": [{"name": "A", "n": 1}, {"name": "true"}]})


def contents(notebook, ignored=()):
    return [(cell.cell_type, cell.source, {k: v for k, v in cell.metadata.items() if k not in ignored})
            for cell in notebook.cells]


def convert(source, target):
    subprocess.run([program, "convert", source, target, "--force"], check=True)
    return target


own = ("lines_to_next_cell",)
nbformat.write(notebook, "a.ipynb")
ours = jupytext.read(convert("a.ipynb", "ours.lua"))
assert contents(ours, own) == contents(notebook), (contents(ours, own), contents(notebook))
for key, value in notebook.metadata.items():
    assert ours.metadata[key] == value, (key, ours.metadata[key])
notebook.metadata["jupytext"] = {"notebook_metadata_filter": "all"}
jupytext.write(notebook, "theirs.lua", fmt="lua:percent")
theirs = nbformat.read(convert("theirs.lua", "theirs.ipynb"), 4)
nbformat.validate(theirs)
assert contents(theirs) == contents(notebook), (contents(theirs), contents(notebook))
for key, value in notebook.metadata.items():
    if key != "jupytext":
        assert theirs.metadata[key] == value, (key, theirs.metadata.get(key))
