#!/usr/bin/env python3
"""Prints what two members share, computed in the clear: sorted type<TAB>value lines.

Usage: overlap.py A B [--types T,...]

A and B are files of type<TAB>value lines, as `parley export --canonical` prints them, or tables of examples/facts. It
knows nothing of parley's code and serves to check it.
"""

import argparse
import sys

from facts import read_facts


def read_values(path):
    """The set of (type, value) in a file of either kind."""
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\n") for line in file if line.strip()]  # once: it may be a pipe
    first = next((line for line in lines if not line.startswith("#")), "")
    if first.split("\t")[:2] == ["type", "value"]:
        return {(row["type"], row["value"]) for row in read_facts(path)}
    return {tuple(line.split("\t", 1)) for line in lines}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("a")
    arguments.add_argument("b")
    arguments.add_argument("--types", help="only these, separated by commas")
    given = arguments.parse_args()
    shared = read_values(given.a) & read_values(given.b)
    if given.types:
        shared = {pair for pair in shared if pair[0] in given.types.split(",")}
    for kind, value in sorted(shared):
        sys.stdout.write(f"{kind}\t{value}\n")


if __name__ == "__main__":
    main()
