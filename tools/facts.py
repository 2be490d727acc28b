"""The tables in examples/facts: tab-separated, '#' lines are comments, the first other line names the columns."""

import csv


def read_facts(path):
    """The rows of the table as dictionaries."""
    with open(path, encoding="utf-8", newline="") as table:
        lines = (line for line in table if not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
