#!/usr/bin/env python3
"""Turns Parquet and Arrow files into JSON Lines, which mtrepl reads.

    pip install pyarrow
    python3 scripts/parquet_to_jsonl.py train-*.parquet --columns text --output train.jsonl.gz
    python3 scripts/parquet_to_jsonl.py data.arrow > data.jsonl

Parquet (.parquet), Arrow IPC files and streams (.arrow, .feather, .arrows). Rows come in the order of the files, a batch
at a time, so that memory does not depend on their size. Nested columns become JSON objects and lists; rows whose columns
are all null are left out and counted.
"""

import argparse
import contextlib
import gzip
import json
import sys

import pyarrow
import pyarrow.parquet


def batches(path, columns, size):
    """Record batches of a file."""
    if path.endswith(".parquet"):
        with pyarrow.parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=size, columns=columns)
        return
    with pyarrow.memory_map(path) as source:
        try:
            reader = pyarrow.ipc.open_file(source)
            found = (reader.get_batch(index) for index in range(reader.num_record_batches))
        except pyarrow.ArrowInvalid:
            source.seek(0)
            found = pyarrow.ipc.open_stream(source)
        for batch in found:
            yield batch.select(columns) if columns else batch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help=".parquet, .arrow, .feather or .arrows files")
    parser.add_argument("--columns", nargs="+", help="the columns to keep; default: all")
    parser.add_argument("--output", help="a .jsonl or .jsonl.gz file; default: standard output")
    parser.add_argument("--batch", type=int, default=1000, help="rows held at once (default: %(default)s)")
    arguments = parser.parse_args()
    rows = skipped = 0
    with contextlib.ExitStack() as stack:
        if not arguments.output:
            out = sys.stdout
        elif arguments.output.endswith(".gz"):
            out = stack.enter_context(gzip.open(arguments.output, "wt", encoding="utf-8", newline="\n"))
        else:
            out = stack.enter_context(open(arguments.output, "w", encoding="utf-8", newline="\n"))
        for path in arguments.files:
            try:
                for batch in batches(path, arguments.columns, arguments.batch):
                    for row in batch.to_pylist():
                        if all(value is None for value in row.values()):
                            skipped += 1
                            continue
                        # Dates, decimals and bytes have no JSON form of their own.
                        out.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                        rows += 1
            except (pyarrow.ArrowException, OSError, KeyError) as error:
                sys.exit(f"parquet_to_jsonl: {path}: {error}")
    print(f"{rows} rows, {skipped} empty ones left out", file=sys.stderr)


if __name__ == "__main__":
    main()
