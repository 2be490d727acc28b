#!/usr/bin/env python3
"""Writes the demonstration material in examples/ from the facts in examples/facts (values, dates, sources).

Usage: make_examples.py [--facts FOLDER] [--out FOLDER]

The same facts always give the same bytes. The files are ours; the facts name their sources.
"""

import argparse
import csv
import io
import json
import pathlib
import uuid

from facts import read_facts

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"
HASHES = ("md5", "sha1", "sha256")
# Ids are derived from the values, so that they stay the same (RFC 4122, version 5, in a namespace of our own).
NAMESPACE = uuid.UUID("6f1c7a52-3f8e-4a55-9a3c-0d6f5f0c2b11")

COMPONENTS = {
    "SEDKIT": "The exploit kit, here called SEDKIT, was reached through look-alike names of news sites and institutions.",
    "SEDUPLOADER": "SEDUPLOADER, the first stage, spoke to these.",
    "XAGENT": "XAGENT, the backdoor used on targets of interest, spoke to these servers.",
    "SEDRECO": "SEDRECO, a second backdoor, spoke to these names.",
    "XTUNNEL": "XTUNNEL, which relays traffic out of a network, spoke to these addresses.",
    "DOWNDELPH": "DOWNDELPH, a small and rarely seen downloader, spoke to these.",
    "ZEBROCY": "ZEBROCY, a later family of downloaders and backdoors, spoke to this server.",
    "": "Seen in the same operations, without a component named.",
}


def files_of(rows):
    """Groups rows by the file that they belong to: a list of lists, in order of appearance; others stand alone."""
    groups, by_file = [], {}
    for row in rows:
        if not row["file"]:
            groups.append([row])
        elif row["file"] in by_file:
            by_file[row["file"]].append(row)
        else:
            by_file[row["file"]] = [row]
            groups.append(by_file[row["file"]])
    return groups


def us_cert_csv(rows):
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["type", "value", "comment", "first_seen", "tlp", "malware", "campaign", "source"])
    for first, *others in files_of(rows):
        comment = "|".join(f"{row['type'].upper()}:{row['value']}" for row in others)
        table.writerow([first["type"], first["value"], comment, first["date"], "TLP:CLEAR", first["malware"],
                        "GRIZZLY STEPPE", f"{first['source']}, {first['date']}"])
    return out.getvalue()


MISP_TYPES = {
    "ipv4": ("ip-dst", "Network activity"),
    "email": ("email-src", "Payload delivery"),
    "mutex": ("mutex", "Artifacts dropped"),
    "regkey": ("regkey", "Persistence mechanism"),
    "cve": ("vulnerability", "Payload delivery"),
    "md5": ("md5", "Payload delivery"),
    "sha1": ("sha1", "Payload delivery"),
    "sha256": ("sha256", "Payload delivery"),
}


def misp_attribute(row):
    kind, category = MISP_TYPES[row["type"]]
    attribute = {
        "uuid": str(uuid.uuid5(NAMESPACE, f"{row['type']} {row['value']}")),
        "type": kind,
        "category": category,
        "to_ids": False,
        "deleted": False,
        "first_seen": f"{row['date']}T00:00:00+00:00",
        "comment": f"{row['source']}, {row['date']}",
        "value": row["value"],
    }
    if row["malware"]:
        attribute["Tag"] = [{"name": f"misp-galaxy:tool=\"{row['malware']}\""}]
    return attribute


def misp_file_object(rows):
    return {
        "uuid": str(uuid.uuid5(NAMESPACE, "file " + rows[0]["value"])),
        "name": "file",
        "meta-category": "file",
        "deleted": False,
        "Attribute": [dict(misp_attribute(row), object_relation=row["type"]) for row in rows],
    }


def eset_misp_event(rows):
    rows = [row for row in rows if row["type"] in MISP_TYPES]
    groups = files_of(rows)
    event = {
        "uuid": str(uuid.uuid5(NAMESPACE, "event sednit")),
        "info": "Facts published by ESET about Sednit: files, servers, senders",
        "date": min(row["date"] for row in rows),
        "published": True,
        "Orgc": {"name": "parley example", "uuid": str(NAMESPACE)},
        "Tag": [{"name": "tlp:clear"}, {"name": "misp-galaxy:threat-actor=\"Sednit\""}],
        "Attribute": [misp_attribute(group[0]) for group in groups if len(group) == 1],
        "Object": [misp_file_object(group) for group in groups if len(group) > 1],
    }
    return json.dumps({"Event": event}, indent=1, ensure_ascii=False) + "\n"


def defanged(row):
    if row["type"] == "ipv4":
        return row["value"].replace(".", "[.]")
    name, dot, suffix = row["value"].rpartition(".")
    return f"{name}[{dot}]{suffix}"


def eset_report(rows):
    rows = [row for row in rows if row["type"] in ("ipv4", "domain")]
    lines = [
        "# Sednit: servers seen in its operations",
        "",
        "TLP:CLEAR",
        "",
        "This page was written for the demonstration of parley. It repeats facts that ESET published about the group that it",
        "calls Sednit (others: APT28, Sofacy): the names and addresses of servers, each with the day of its source. All of them",
        "are long dead or watched; they are written so that nobody follows them by mistake.",
    ]
    for component, sentence in COMPONENTS.items():
        members = [row for row in rows if row["malware"] == component]
        if not members:
            continue
        lines += ["", f"## {component.capitalize() or 'Others'}", "", sentence, ""]
        lines += [f"- {defanged(row)} ({row['date']})" for row in members]
    lines += ["", "## Sources", ""]
    lines += [f"- {title}, {date}" for date, title in sorted({(row["date"], row["source"]) for row in rows})]
    return "\n".join(lines) + "\n"


def tor_warning_list(rows):
    warning_list = {
        "name": "Tor relays",
        "type": "string",
        "version": int(max(row["date"] for row in rows).replace("-", "")),
        "description": f"Addresses that were Tor relays on {rows[0]['date']} ({rows[0]['source']}); only those that also stand "
                       "in the demonstration material.",
        "matching_attributes": ["ip-src", "ip-dst"],
        "list": [row["value"] for row in rows],
    }
    return json.dumps(warning_list, indent=1) + "\n"


def examples(facts):
    """The files, by their path below examples/."""
    us_cert = read_facts(facts / "us-cert.tsv")
    eset = read_facts(facts / "eset-sednit.tsv")
    return {
        "us-cert.csv": us_cert_csv(us_cert),
        "eset-sednit.misp.json": eset_misp_event(eset),
        "eset-sednit-report.md": eset_report(eset),
        "warninglists/tor-relays.json": tor_warning_list(read_facts(facts / "tor-relays.tsv")),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--facts", type=pathlib.Path, default=EXAMPLES / "facts")
    arguments.add_argument("--out", type=pathlib.Path, default=EXAMPLES)
    given = arguments.parse_args()
    for name, content in examples(given.facts).items():
        path = given.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
