#!/usr/bin/env python3
"""Prints the records of a store's journals as JSON lines: scripts/journal.py STORE/journals/*.journal"""
import json, struct, sys, zlib

KINDS = {1: "journal", 2: "engine", 3: "steps", 4: "evaluation", 5: "run", 6: "progress", 7: "removal", 8: "study"}


def steps(content):
    first, engine, count = struct.unpack_from("<qQq", content, 64)
    for index in range(count):
        state, *numbers, tokens, seconds = struct.unpack_from("<32sdddqd", content, 88 + 72 * index)
        yield dict(zip(("loss", "learning_rate", "gradient_norm"), numbers), step=first + index, state=state.hex(),
                   tokens=tokens, seconds=seconds, by=f"{engine:016x}")


def records(data):
    start = 0
    while len(data) - start >= 24:
        mark, kind, number, length, check, header = struct.unpack_from("<4sIIIII", data, start)
        content = data[start + 24:start + 24 + length]
        if mark != b"MTJ\1" or zlib.crc32(data[start:start + 20]) != header:
            sys.exit(f"byte {start} is not the beginning of a record")
        if len(content) < length:
            return  # half a record: its writer died, or still writes
        if zlib.crc32(content) != check:
            sys.exit(f"the content of record {number}, at byte {start}, does not have its checksum")
        yield from (("steps", step) for step in steps(content)) if kind == 3 else [(KINDS.get(kind, kind), json.loads(content))]
        start += 24 + length


for path in sys.argv[1:]:
    for kind, record in records(open(path, "rb").read()):
        print(json.dumps({"kind": kind, **record}))
