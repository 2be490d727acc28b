#!/usr/bin/env python3
"""Asks the second verifier about flips of single bits of one dossier, all in one process.

    flip_bits.py VERIFIER FILE CHARTER < bits

Prints whether it takes the dossier as it is, then each bit whose flip it does not refuse. A part that a flip leaves as
it was is not read again.
"""
import functools
import importlib.util
import sys

sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("verify_dossier", sys.argv[1])
verifier = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verifier)
for name in "Key", "Note", "parse_pjson":
    setattr(verifier, name, functools.lru_cache(maxsize=4096)(getattr(verifier, name)))

with open(sys.argv[2], "rb") as file:
    data = file.read()
charter = bytes.fromhex(sys.argv[3])
print(verifier.outcome_of(data, charter)[0])
for bit in map(int, sys.stdin.read().split()):
    if verifier.accepts_flip(data, charter, bit):
        print(bit)
