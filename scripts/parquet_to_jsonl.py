#!/usr/bin/env python3
"""Turns Parquet and Arrow files into JSON Lines, which mtrepl reads.

    pip install pyarrow
    python3 scripts/parquet_to_jsonl.py train-*.parquet --columns text --output train.jsonl.gz
    python3 scripts/parquet_to_jsonl.py data.arrow > data.jsonl

Parquet (.parquet), Arrow IPC files and streams (.arrow, .feather, .arrows). Rows come in the order of the files, a batch
at a time, so that memory does not depend on their size. Nested columns become JSON objects and lists. NaN and infinity,
which JSON does not have, become null; bytes must be UTF-8 and become text; rows whose columns are all null are left out.
"""

import argparse
import contextlib
import json
import math
import sys

import pyarrow
import pyarrow.parquet


class Refused(Exception):
    """Something that is not converted, in words."""


def batches(path, columns, size):
    """Record batches of a file."""
    if path.endswith(".parquet"):
        with pyarrow.parquet.ParquetFile(path) as file:
            check(columns, file.schema_arrow)
            yield from file.iter_batches(batch_size=size, columns=columns)
        return
    with pyarrow.memory_map(path) as source:
        try:
            reader = pyarrow.ipc.open_file(source)
            found = (reader.get_batch(index) for index in range(reader.num_record_batches))
        except pyarrow.ArrowInvalid:
            source.seek(0)
            reader = found = pyarrow.ipc.open_stream(source)
        check(columns, reader.schema)
        for batch in found:
            batch = batch.select(columns) if columns else batch
            for start in range(0, batch.num_rows, size):
                yield batch.slice(start, size)


def check(columns, schema):
    """Refuses names that no column has."""
    for name in columns or []:
        if name not in schema.names:
            raise Refused(f"no column is called {name}; there are {', '.join(schema.names)}")


class Cleaner:
    """Makes values that JSON has."""

    def __init__(self):
        self.nulled = 0

    def clean(self, value, column):
        if isinstance(value, float) and not math.isfinite(value):
            self.nulled += 1
            return None
        if isinstance(value, bytes):
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise Refused(f"column {column}: expected text, found bytes that are not UTF-8; "
                              "leave it out with --columns") from None
        if isinstance(value, dict):
            return {key: self.clean(part, column) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.clean(part, column) for part in value]
        return value


def output(path):
    """Where lines of bytes go to."""
    if not path:
        return contextlib.nullcontext(sys.stdout.buffer)
    for ending, compression in [(".jsonl", None), (".jsonl.gz", "gzip"), (".jsonl.zst", "zstd")]:
        if path.endswith(ending):
            return pyarrow.output_stream(path, compression=compression)
    raise Refused("expected a name that ends in .jsonl, .jsonl.gz or .jsonl.zst")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help=".parquet, .arrow, .feather or .arrows files")
    parser.add_argument("--columns", nargs="+", help="the columns to keep; default: all")
    parser.add_argument("--output", help="a .jsonl, .jsonl.gz or .jsonl.zst file; default: standard output")
    parser.add_argument("--batch", type=int, default=1000, help="rows held at once (default: %(default)s)")
    arguments = parser.parse_args()
    rows = skipped = 0
    cleaner = Cleaner()
    place = arguments.output
    try:
        with output(arguments.output) as out:
            for place in arguments.files:
                for batch in batches(place, arguments.columns, arguments.batch):
                    for row in batch.to_pylist():
                        row = {column: cleaner.clean(value, column) for column, value in row.items()}
                        if all(value is None for value in row.values()):
                            skipped += 1
                            continue
                        # Dates and decimals have no JSON form of their own.
                        line = json.dumps(row, ensure_ascii=False, allow_nan=False, default=str)
                        out.write(line.encode() + b"\n")
                        rows += 1
            place = arguments.output
    except (Refused, pyarrow.ArrowException, OSError, KeyError) as error:
        sys.exit(f"parquet_to_jsonl: {place}: {' '.join(str(error).split())}")
    print(f"{rows} rows, {skipped} empty ones left out, {cleaner.nulled} numbers that are NaN or infinite became null",
          file=sys.stderr)


if __name__ == "__main__":
    main()
