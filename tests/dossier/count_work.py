#!/usr/bin/env python3
"""Asks the second verifier about one dossier, and counts what it costs.

    count_work.py VERIFIER FILE CHARTER

Prints the outcome, how many signatures were computed, and of how many keys the order was.
"""
import importlib.util
import sys

sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("verify_dossier", sys.argv[1])
verifier = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verifier)

counts = {}


def counted(name):
    original = getattr(verifier, name)
    counts[name] = 0

    def count(*arguments):
        counts[name] += 1
        return original(*arguments)
    setattr(verifier, name, count)


counted("ed25519_compute")
counted("is_of_prime_order")
with open(sys.argv[2], "rb") as file:
    data = file.read()
outcome, why = verifier.outcome_of(data, bytes.fromhex(sys.argv[3]))
print(outcome, counts["ed25519_compute"], counts["is_of_prime_order"], why)
