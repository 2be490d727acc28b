#!/usr/bin/env python3
"""A second verifier of parley's dossiers, written from the specification and sharing no code with the first.

    tools/verify_dossier.py FILE... [--charter HASH]

It needs Python's standard library only. For each file one line: verified, unanchored or refused, and why. Exit code 0
when all are verified, 3 when they hold but no charter was given to know the group by, 1 when one is refused. It checks
signatures, places in logs, quorums, openings, dissent and the STIX bundle. It does not judge the finding by the rules
of the trade, and takes an amendment of a charter only with the signatures of all members.

With --flips N (and --seed S) it also shows that each file is refused after each of N random flips of one bit.
"""
import argparse
import base64
import datetime
import hashlib
import json
import random
import re
import struct
import sys
import uuid

# --- Ed25519 (RFC 8032), in extended coordinates ---------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


class Refused(Exception):
    """What is wrong with a dossier."""


def require(holds, why):
    if not holds:
        raise Refused(why)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_times(scalar, point):
    result = IDENTITY
    while scalar > 0:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def point_equal(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point_decode(data):
    """A canonical encoding only."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P != 0 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def point_encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

admitted = {}
verified = {}


def admit(key):
    """A key is a point of the prime-order group, and not the identity."""
    if key not in admitted:
        point = point_decode(key)
        admitted[key] = (point is not None and not point_equal(point, IDENTITY)
                         and point_equal(point_times(L, point), IDENTITY))
    require(admitted[key], "a key is not of full strength")


def ed25519_verify(key, message, signature):
    cached = (key, hashlib.sha256(message).digest(), signature)
    if cached not in verified:
        verified[cached] = ed25519_compute(key, message, signature)
    return verified[cached]


def ed25519_compute(key, message, signature):
    a, s = point_decode(key), int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    return point_encode(point_add(point_times(s, BASE), point_times(k, minus_a))) == signature[:32]


# --- PJ1, keys, notes ------------------------------------------------------------------------------------------------

MAX_INTEGER = 2**53 - 1
KEY = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
HEX32 = re.compile(r"[0-9a-f]{64}\Z")
NICK = re.compile(r"[a-z0-9-]{1,32}\Z")


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def check_value(value, depth):
    require(depth <= 8 or not isinstance(value, (dict, list)), "nested too deep")
    if isinstance(value, dict):
        require(len(value) <= 4096, "too many members")
        for key, member in value.items():
            require(KEY.match(key), "a name that PJ1 does not have")
            check_value(member, depth + 1)
    elif isinstance(value, list):
        for element in value:
            check_value(element, depth + 1)
    elif isinstance(value, bool) or isinstance(value, str):
        pass
    else:
        require(isinstance(value, int) and abs(value) <= MAX_INTEGER, "a number that PJ1 does not have")


def parse_pjson(text):
    try:
        value = json.loads(text)
        require(isinstance(value, dict) and canonical(value) == text, "not the canonical form")
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from None
    check_value(value, 1)
    return value


def fields(value, names, what):
    require(isinstance(value, dict) and set(value) == set(names.split()), f"{what} has other fields than it should")
    return value


def integer(value, least=0, most=MAX_INTEGER):
    require(type(value) is int and least <= value <= most, "a number is out of bounds")  # True is no number
    return value


def ascending(values, most):
    require(isinstance(values, list) and len(values) <= most and values == sorted(set(values)), "a list does not ascend")
    return values


def short(text, most, least=0):
    require(isinstance(text, str) and least <= len(text.encode()) <= most, "a text is too long or missing")
    return text


def digest_of(text, what):
    require(isinstance(text, str) and HEX32.match(text), f"{what} is no hash")
    return bytes.fromhex(text)


def b64(text):
    require(isinstance(text, str), "text in base64 is due")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("not base64") from None
    require(base64.b64encode(data).decode() == text, "not canonical base64")
    return data


def sha256(data):
    return hashlib.sha256(data).digest()


class Key:
    def __init__(self, text):
        parts = text.split("+", 2)
        require(len(parts) == 3, "a key is not name+id+key")
        self.name, typed = parts[0], b64(parts[2])
        require(len(typed) == 33 and typed[0] in (1, 4), "a key is of no known kind")
        self.type, self.key = typed[0], typed[1:]
        self.id = sha256(self.name.encode() + b"\n" + typed)[:4]
        require(parts[1] == self.id.hex(), "a key's id is not that of its name and bytes")
        admit(self.key)


class Note:
    def __init__(self, text):
        split = short(text, 1 << 20).rfind("\n\n")
        require(split >= 0 and text.endswith("\n"), "not a signed note")
        require(not any(ord(c) < 0x20 and c != "\n" for c in text), "a note has control characters")
        self.text, self.signatures = text[:split + 1], []
        for line in text[split + 2:-1].split("\n"):
            match = re.match(r"— (\S+) (\S+)\Z", line)
            require(match, "a signature line is malformed")
            require(len(match[1].encode()) <= 255 and len(match[2]) <= 8192 and len(self.signatures) < 64,
                    "a signature is too long, or there are too many")
            blob = b64(match[2])
            require(len(blob) > 4, "a signature is too short")
            self.signatures.append((match[1], blob[:4], blob[4:]))

    def of(self, key):
        return [blob for name, key_id, blob in self.signatures if name == key.name and key_id == key.id]

    def signers(self, keys):
        """Whose of `keys` it is signed by: each signature good, by one of them, and none twice."""
        signers = []
        for index, key in enumerate(keys):
            for blob in self.of(key):
                require(len(blob) == 64 and ed25519_verify(key.key, self.text.encode(), blob),
                        f"a signature of {key.name} does not verify")
                signers.append(index)
        require(len(signers) == len(self.signatures) == len(set(signers)) and signers,
                "a note is signed by a stranger, or twice")
        return signers

    def object(self, kind):
        first, _, rest = self.text.partition("\n")
        require(first == kind and rest.endswith("\n"), f"not a {kind}")
        return parse_pjson(rest[:-1])


# --- Charters --------------------------------------------------------------------------------------------------------

CHARTER_FIELDS = ("clock_skew_s dom finding_quorum grace_days group log_quorum max_tlp members name not_after not_before "
                  "prev protocols purpose questions seq v")


def least_log_quorum(count):
    return count if count <= 3 else 2 * count // 3 + 1


class Charter:
    def __init__(self, text):
        self.left = set()  # of its members, as far as the dossier shows
        self.note = Note(text)
        self.hash = sha256(self.note.text.encode())
        self.json = self.note.object("parley/charter/v1")
        require(isinstance(self.json, dict) and self.json.get("v") in (1, 2), "a charter is of another version")
        fields(self.json, CHARTER_FIELDS + (" admission" if self.json["v"] == 2 else ""), "a charter")
        if self.json["v"] == 2:
            fields(self.json["admission"], "epoch_days types", "the charter's admission")
        self.members = {}
        for member in self.json["members"]:
            fields(member, "card cosign id log nick node tls", "a member")
            require(NICK.match(member["nick"]) and member["nick"] not in self.members, "a nick is wrong or stands twice")
            self.members[member["nick"]] = {
                "card": digest_of(member["card"], "a card's hash"),
                **{role: Key(member[role]) for role in ("cosign", "id", "log", "node")},
            }
            require(all(Key(member[role]).type == (4 if role == "cosign" else 1) for role in ("cosign", "id", "log", "node")),
                    "a key is of another kind than its role asks for")
        every = [one[role].key for one in self.members.values() for role in ("cosign", "id", "log", "node")]
        require(len(every) == len(set(every)), "a key stands twice in a charter")
        count = len(self.members)
        require(2 <= count <= 16 and least_log_quorum(count) <= self.json["log_quorum"] <= count, "the quorum of logs is not safe")
        require(2 <= self.json["finding_quorum"] <= count, "the quorum of findings cannot be")


def check_chain(charters, leaves):
    left = set()

    def withdraw(charter):
        for text in leaves:
            note = Note(text)
            body = fields(note.object("parley/leave/v1"), "charter group nick reason time v", "a leave")
            if body["charter"] != charter.hash.hex():
                continue
            require(body["nick"] in charter.members and body["nick"] not in left, "a withdrawal is of no member")
            note.signers([charter.members[body["nick"]]["id"]])
            left.add(body["nick"])

    require(charters, "there is no charter")
    for number, charter in enumerate(charters):
        require(charter.json["seq"] == number + 1, "a version of the charter is missing")
        ids = {member["id"].key: member["id"] for member in charter.members.values()}
        due = set(ids)
        if number == 0:
            require(charter.json["prev"] == "", "the first charter follows another one")
        else:
            before = charters[number - 1]
            require(charter.json["prev"] == before.hash.hex(), "a charter does not follow the one before")
            require(charter.json["group"] == before.json["group"], "a charter is of another group")
            due |= {member["id"].key for nick, member in before.members.items()}
            due -= {member["id"].key for nick, member in before.members.items() if nick in left}
            ids |= {member["id"].key: member["id"] for member in before.members.values()}
        keys = list(ids.values())
        signers = {keys[index].key for index in charter.note.signers(keys)}
        require(due <= signers, "a charter lacks signatures (this verifier wants those of all members)")
        withdraw(charter)
    require(len(left) == len(leaves), "a withdrawal is of no member")
    for charter in charters:
        charter.left = left


# --- Keys that were replaced -----------------------------------------------------------------------------------------

def body_text(body, commitment):
    fields(body, "salt text", "a body")
    salt, text = b64(body["salt"]), short(body["text"], 1 << 20).encode()
    require(len(salt) == 32, "a salt has the wrong length")
    found = sha256(b"parley/body/v1\0" + salt + struct.pack(">I", len(text)) + text)
    require(found.hex() == commitment, "a body is not the one of its entry")
    return parse_pjson(body["text"])


def signer_of(key):
    """A key as it signs a statement, whatever it signs otherwise."""
    return Key("%s+%s+%s" % (key.name, sha256(key.name.encode() + b"\n\x01" + key.key)[:4].hex(),
                             base64.b64encode(b"\x01" + key.key).decode()))


def signed_with(note, key):
    return any(name == key.name and key_id == key.id for name, key_id, _ in note.signatures)


class Rotations:
    """Which keys took the place of those that the charter names, by which entries of their owners' logs."""

    def __init__(self, shown, charters):
        self.of, self.needed, self.count = {}, set(), len(shown)
        places = []
        for one in shown:
            fields(one, "body log note", "a rotation")
            owners = [charter.members[one["log"]] for charter in charters if one["log"] in charter.members]
            require(owners, "a key is replaced by no member")
            places.append(self.take(one, owners[-1]))
        require(places == sorted(set(places)), "the rotations do not ascend, or one stands twice")

    def take(self, shown, owner):
        nick, note = shown["log"], Note(shown["note"])
        header = fields(note.object("parley/entry/v1"),
                        "aud author body charter prev refs seq session time type v", "a header")
        require(header["type"] == "key.rotate" and header["author"] == nick and header["aud"] == ["*"],
                "an entry replaces no key")
        body = fields(body_text(shown["body"], header["body"]), "rotation v", "the body of a rotation")
        statement = Note(body["rotation"])
        terms = fields(statement.object("parley/rotation/v1"), "cutoffs log new nick old reason role since v", "a rotation")
        integer(body["v"], 1, 1), integer(terms["v"], 1, 1), integer(terms["since"])
        short(body["rotation"], 16 << 10)
        require(terms["nick"] == nick and terms["log"] == owner["log"].name,
                "a rotation is of another log")
        role, old, new = terms["role"], Key(terms["old"]), Key(terms["new"])
        require(role in ("node", "cosign"), "a key is replaced that signs nothing here")
        due = [owner["id"], signer_of(new)]
        require(terms["reason"] in ("lost", "stolen", "staff", "routine"), "an unknown reason")
        if terms["reason"] in ("staff", "routine"):
            due.append(signer_of(old))
        require(statement.signers(due) == list(range(len(due))), "a rotation lacks a signature")
        known = self.of.setdefault(nick, [])
        in_use = ([owner[role]] + [one["new"] for one in known if one["role"] == role])[-1]
        require((old.name, old.type, old.key) == (in_use.name, in_use.type, in_use.key) and new.name == old.name
                and new.type == old.type, "a rotation is not of the key in use")
        former = [key.key for one in known for key in (one["old"], one["new"])] + [owner[one].key for one in
                                                                                  ("cosign", "id", "log", "node")]
        require(new.key not in former, "a new key is one that its owner had before")
        for cut in terms["cutoffs"]:
            fields(cut, "nick size", "a cutoff")
            require(integer(cut["size"], 1) and NICK.match(cut["nick"]) and cut["nick"] != nick and role == "cosign",
                    "a cutoff is of no other member's log, or not of a cosign key")
        ascending([cut["nick"] for cut in terms["cutoffs"]], 16)
        require(len(known) < 64, "a member has replaced too many keys")
        known.append({"seq": header["seq"], "role": role, "old": old, "new": new,
                      "cutoffs": {cut["nick"]: cut["size"] for cut in terms["cutoffs"]}})
        note.signers([self.node_at(nick, owner["node"], header["seq"], mark=False)])
        return nick, header["seq"]

    def node_at(self, nick, first, seq, mark=True):
        key = first
        for one in self.of.get(nick, []):
            if one["role"] == "node" and one["seq"] <= seq:
                key = one["new"]
                if mark:
                    self.needed.add((nick, one["seq"]))
        return key

    def cosign_on(self, nick, first, owner, size):
        """The keys of `nick` that count on a tree of the log of `owner`."""
        chain = [one for one in self.of.get(nick, []) if one["role"] == "cosign"]
        keys, most = [chain[-1]["new"] if chain else first], 2**53
        for one in reversed(chain):
            most = min(most, one["cutoffs"].get(owner, 0))
            if size <= most:
                keys.append(one["old"])
        return keys

    def mark_cosigned(self, note):
        for nick, known in self.of.items():
            so_far = []
            for one in known:
                if one["role"] != "cosign":
                    continue
                so_far.append(one)
                if signed_with(note, one["old"]) or signed_with(note, one["new"]):
                    for needed in so_far:
                        self.needed.add((nick, needed["seq"]))
                        self.node_at(nick, None, needed["seq"])


# --- Logs ------------------------------------------------------------------------------------------------------------

def read_checkpoint(text, nick, charter, rotations):
    """The size and root of a tree that enough of the charter's members hold: its quorum of logs, or, where members have
    left, as many of the others as those need."""
    note, owner = Note(text), charter.members[nick]
    lines = note.text.split("\n")
    require(len(lines) == 4 and lines[3] == "" and lines[0] == owner["log"].name, "a checkpoint is of another log")
    require(re.match(r"(0|[1-9][0-9]{0,15})\Z", lines[1]), "a checkpoint's size is no number")
    integer(int(lines[1])), short(text, 64 << 10)
    require((int(lines[1]) == 0) == (b64(lines[2]) == sha256(b"")), "a tree is empty and has a root, or the other way")
    holders = [nick]
    blobs = note.of(owner["log"])
    require(len(blobs) == 1 and len(blobs[0]) == 64
            and ed25519_verify(owner["log"].key, note.text.encode(), blobs[0]),
            "a checkpoint is not signed by its log")
    for other, member in charter.members.items():
        keys = rotations.cosign_on(other, member["cosign"], nick, int(lines[1])) if other != nick else []
        for key, blob in [(key, blob) for key in keys for blob in note.of(key)]:
            require(len(blob) == 72, "a cosignature has the wrong length")
            message = b"cosignature/v1\ntime %d\n" % struct.unpack(">Q", blob[:8]) + note.text.encode()
            require(struct.unpack(">Q", blob[:8])[0] < 2**63 and ed25519_verify(key.key, message, blob[8:]),
                    f"a cosignature of {other} does not verify")
            holders.append(other)
    rotations.mark_cosigned(note)
    require(len(holders) == len(note.signatures), "a checkpoint bears a signature that is nobody's, or one twice")
    names = [name for name, _, _ in note.signatures]
    require(len(names) == len(set(names)), "a checkpoint bears a signature twice")
    count, quorum = len(charter.members), charter.json["log_quorum"]
    rest = len(set(charter.members) - charter.left)
    of_rest = min(rest, least_log_quorum(rest) + quorum - least_log_quorum(count))
    require(len(holders) >= quorum or (rest < count and len(set(holders) - charter.left) >= of_rest),
            "a tree is held by too few")
    root = b64(lines[2])
    require(len(root) == 32, "a root is no hash")
    return int(lines[1]), root


def root_of(leaf, index, size, path):
    """RFC 9162 2.1.3.2."""
    require(index < size, "an entry stands beyond its tree")
    fn, sn, root = index, size - 1, leaf
    for sibling in path:
        require(sn != 0, "a proof is too long")
        if fn & 1 or fn == sn:
            root = sha256(b"\x01" + sibling + root)
            while fn != 0 and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = sha256(b"\x01" + root + sibling)
        fn, sn = fn >> 1, sn >> 1
    require(sn == 0, "a proof is too short")
    return root


def check_header(header):
    """The rules of a header that do not depend on its log, but for the types and which of them belong to sessions."""
    integer(header["v"], 1, 1), integer(header["time"]), integer(header["seq"], 0, MAX_INTEGER - 1)
    for name in ("body", "charter", "prev"):
        digest_of(header[name], "a hash of a header")
    require(re.match(r"([0-9a-f]{32})?\Z", header["session"]), "a session has another name")
    refs, readers = header["refs"], header["aud"]
    require(len(refs) == len({digest_of(ref, "a reference") for ref in refs}) <= 16, "an entry refers to one twice")
    require(readers == ["*"] or (all(NICK.match(nick) for nick in ascending(readers, 15)) and header["author"] not in readers),
            "an entry is for no proper readers")
    require((header["seq"] == 0) == (header["type"] == "log.open") and (header["seq"] > 0 or not int(header["prev"], 16)),
            "a log begins with log.open, and only with it")


class Entry:
    def __init__(self, shown, charters, default, cut_notes, rotations):
        fields(shown, "body log note proof", "an entry")
        self.nick, note = shown["log"], Note(shown["note"])
        self.header = fields(note.object("parley/entry/v1"),
                             "aud author body charter prev refs seq session time type v", "a header")
        check_header(self.header)
        self.leaf = sha256(b"\x00" + shown["note"].encode())
        known = [charter for charter in charters if charter.hash.hex() == self.header["charter"]]
        charter = known[0] if known else default
        self.version = charters.index(charter)
        require(self.nick in charter.members and self.header["author"] == self.nick, "an entry is by no member")
        note.signers([rotations.node_at(self.nick, charter.members[self.nick]["node"], self.header["seq"])])
        self.rotations = rotations
        skew, terms = charter.json["clock_skew_s"], charter.json
        require(terms["not_before"] - skew <= self.header["time"]
                <= terms["not_after"] + terms["grace_days"] * 86400 + skew, "an entry is from outside the charter's time")
        self.place(shown["proof"], charter if shown["proof"].partition("\n\n")[2] not in cut_notes else default,
                   charters)
        self.body = self.open(shown["body"])

    def place(self, proof, charter, charters):
        head, _, checkpoint = proof.partition("\n\n")
        lines = head.split("\n")
        require(lines[0] == "c2sp.org/tlog-proof@v1" and len(lines) >= 2, "not a proof of inclusion")
        require(lines[1] == f"index {self.header['seq']}", "an entry stands at another place than it says")
        path = [b64(line) for line in lines[2:]]
        require(len(path) <= 64 and all(len(sibling) == 32 for sibling in path), "a proof has what is no hash")
        for later in [charter] + charters[charters.index(charter) + 1:]:
            try:
                self.tree = read_checkpoint(checkpoint, self.nick, later, self.rotations)
                self.version = max(self.version, charters.index(later))
                break
            except (Refused, KeyError) as error:
                if later is charters[-1]:
                    raise Refused(str(error)) from None
        require(root_of(self.leaf, self.header["seq"], self.tree[0], path) == self.tree[1],
                "a proof does not lead to the tree")

    def open(self, body):
        require(isinstance(body, list) and len(body) <= 1, "a body is due, or none")
        if not body:
            return None
        return body_text(body[0], self.header["body"])


# --- The finding -----------------------------------------------------------------------------------------------------

FINDING_FIELDS = ("basis confidence created equivalences evidence group hypotheses judgement key_assumptions marks matrix "
                  "origins period question seq supersedes title v")
LIKELIHOODS = ("almost-no-chance very-unlikely unlikely roughly-even-chance likely very-likely almost-certain").split()
CONFIDENCE = {"low": 15, "moderate": 50, "high": 85}
INFORMATION = {1: 90, 2: 70, 3: 50, 4: 30, 5: 10}
SOURCE_WORDS = ["completely reliable", "usually reliable", "fairly reliable", "not usually reliable", "unreliable",
                "cannot be judged"]
INFORMATION_WORDS = ["confirmed by other sources", "probably true", "possibly true", "doubtful", "improbable",
                     "cannot be judged"]


def weight(grade):
    if grade["source"] <= "B" and grade["info"] <= 2:
        return 4
    return 2 if grade["source"] <= "C" and grade["info"] <= 3 else 1


def scores(finding, without=None):
    rows = {row["e"]: {cell["h"]: cell["v"] for cell in row["cells"]} for row in finding["matrix"]}
    return {one["id"]: sum({"I": 1, "II": 2}.get(rows[evidence["id"]][one["id"]], 0) * weight(evidence["grade"])
                           for evidence in finding["evidence"] if evidence["id"] != without)
            for one in finding["hypotheses"]}


def critical_rows(finding):
    def order(of):
        return [(a > b) - (a < b) for a in of.values() for b in of.values()]
    return [one["id"] for one in finding["evidence"] if order(scores(finding, one["id"])) != order(scores(finding))]


def open_texts(finding, openings):
    """Puts shown texts into their places; the others become None."""
    texts = {}
    for name, key in (("evidence", "summary"), ("key_assumptions", "text"), ("origins", "text")):
        for index, element in enumerate(finding[name]):
            if not isinstance(element[key], str):
                texts[f"/{name}/{index}/{key}"] = (element, key, fields(element[key], "sd", "a text")["sd"])
                element[key] = None
    before = ""
    for opening in openings:
        fields(opening, "path salt text", "an opening")
        require(opening["path"] > before, "the openings do not ascend")
        before = opening["path"]
        require(opening["path"] in texts, "an opening is of what was not withheld")
        element, key, commitment = texts[opening["path"]]
        salt, path, value = b64(opening["salt"]), opening["path"].encode(), canonical(opening["text"]).encode()
        require(len(salt) == 32 and sha256(b"parley/field/v1\0" + salt + struct.pack(">H", len(path)) + path
                                           + struct.pack(">I", len(value)) + value).hex() == commitment,
                "a text is not the one that was signed")
        element[key] = opening["text"]


def read_dissent(text, charter, finding_hash, finding):
    note = Note(text)
    dissent = fields(note.object("parley/dissent/v1"), "finding group nick points time v", "a dissent")
    require(dissent["nick"] in charter.members, "a dissent is by no member")
    note.signers([charter.members[dissent["nick"]]["id"]])
    require(dissent["finding"] == finding_hash.hex() and dissent["group"] == finding["group"],
            "a dissent is about another finding")
    integer(dissent["v"], 1, 1), integer(dissent["time"]), short(text, 64 << 10)
    parts = {"judgement", "confidence"} | {one["id"] for list_of in ("evidence", "hypotheses", "origins", "key_assumptions")
                                           for one in finding[list_of]}
    require(1 <= len(dissent["points"]) <= 32, "a dissent has no point, or too many")
    for point in dissent["points"]:
        fields(point, "about likelihood text", "a point")
        require(point["about"] in parts and short(point["text"], 4000, 1)
                and (not point["likelihood"] or point["about"] == "judgement"), "a point is about nothing, or says nothing")
        require(point["likelihood"] in [""] + LIKELIHOODS, "a dissent has no known likelihood")
    return sha256(note.text.encode()), dissent


def read_withdrawal(entry, charter, finding_hash, finding, signers):
    require(entry.body is not None, "what was withdrawn is not shown")
    body = fields(entry.body, "hash note v", "a withdrawal")
    note = Note(body["note"])
    withdrawal = fields(note.object("parley/withdrawal/v1"), "finding group nick reason time v", "a withdrawal")
    require(withdrawal["nick"] == entry.nick and entry.nick in signers, "a withdrawal is by nobody who signed")
    note.signers([charter.members[entry.nick]["id"]])
    require(body["hash"] == withdrawal["finding"] == finding_hash.hex() and withdrawal["group"] == finding["group"],
            "a withdrawal is of another finding")
    integer(body["v"], 1, 1), integer(withdrawal["v"], 1, 1), integer(withdrawal["time"]), short(body["note"], 16 << 10)
    short(withdrawal["reason"], 4000, 1)
    return sha256(note.text.encode()), withdrawal


# --- STIX ------------------------------------------------------------------------------------------------------------

TLP = {"clear": "94868c89-83c2-464b-929b-a1a8aa3c8487", "green": "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
       "amber": "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "amber+strict": "939a9414-2ddd-4d32-a0cd-375ea402b003",
       "red": "e828b379-4e03-4974-9ac4-e53a884c97c1"}


def quarters(value):
    return f"{value // 4}{['', '.25', '.5', '.75'][value % 4]}"


def phrase(likelihood):
    return likelihood.replace("-", " ")


def stix_bundle(finding, finding_hash, charter, signers, dissents, withdrawals, names):
    space = uuid.uuid5(uuid.NAMESPACE_URL, "parley-stix/1")
    name = finding_hash.hex()
    created = datetime.datetime.fromtimestamp(finding["created"], datetime.timezone.utc)
    time = created.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    objects, refs, group, working_set = [], [], [], []
    pap = f"PAP:{finding['marks']['pap'].upper()}"

    def stix_id(kind, of):
        return f"{kind}--{uuid.uuid5(space, f'{kind}|{of}')}"

    def add(kind, of, **properties):
        made = {"type": kind, "spec_version": "2.1", "id": stix_id(kind, of), "created": time, "modified": time,
                "object_marking_refs": [f"marking-definition--{TLP[finding['marks']['tlp']]}",
                                        stix_id("marking-definition", pap)], **properties}
        if group:
            made["created_by_ref"] = group[0]
        objects.append(made)
        refs.append(made["id"])
        return made

    objects.append({"type": "marking-definition", "spec_version": "2.1", "id": stix_id("marking-definition", pap),
                    "created": time, "definition_type": "statement", "definition": {"statement": pap}})
    made = add("identity", f"group {finding['group']}", name=charter.json["name"], identity_class="group")
    group.append(made["id"])
    for nick in charter.members:
        add("identity", f"member {finding['group']} {nick}", name=names.get(nick, nick), identity_class="organization")
    report = stix_id("report", name)
    judgement = finding["judgement"]
    judged = [one for one in finding["hypotheses"] if one["id"] == judgement["hypothesis"]][0]
    actor = None
    if judged["kind"] == "attribution" and LIKELIHOODS.index(judgement["likelihood"]) >= LIKELIHOODS.index("likely"):
        actor = add("intrusion-set", f"{name} {judged['actor']}", name=judged["actor"], description=judged["text"])["id"]
    for one in finding["evidence"]:
        grade = one["grade"]
        text = "[withheld]" if one["summary"] is None else one["summary"]
        note = add("note", f"{name} {one['id']}", abstract=f"Evidence {one['id']}", object_refs=[report],
                   content=f"{text} Admiralty {grade['source']}{grade['info']}: source "
                           f"{SOURCE_WORDS[ord(grade['source']) - ord('A')]}, information "
                           f"{INFORMATION_WORDS[grade['info'] - 1]}. Independent origins: "
                           f"{len({seen['origin'] for seen in one['seen']})}.")
        if grade["info"] in INFORMATION:
            note["confidence"] = INFORMATION[grade["info"]]
        working_set.append(note["id"])
    content = "".join(f"{one['id']} ({one['kind']}): {one['text']}\n" for one in finding["hypotheses"])
    for row in finding["matrix"]:
        content += row["e"] + ":" + "".join(f" {cell['h']}={cell['v']}" for cell in row["cells"]) + "\n"
    for hypothesis, score in sorted(scores(finding).items(), key=lambda item: item[1]):
        content += f"against {hypothesis}: {quarters(score)}\n"
    content += "".join(f"without {row} the order would be another\n" for row in critical_rows(finding))
    content += "".join(f"{claim['origin']} says that {claim['name']} and {claim['other']} are one actor\n"
                       for claim in finding["equivalences"])
    working_set.append(add("note", f"{name} matrix", abstract="Analysis of competing hypotheses", content=content,
                           authors=signers, object_refs=[report])["id"])
    fit = {row["e"] for row in finding["matrix"] for cell in row["cells"]
           if cell["h"] == judgement["hypothesis"] and cell["v"] in ("C", "CC")}
    for one in finding["evidence"]:
        origins = len({seen["origin"] for seen in one["seen"]})
        if actor is None or one["id"] not in fit or origins < 2:
            continue
        sighting = add("sighting", f"{name} {one['id']}", sighting_of_ref=actor, count=origins,
                       where_sighted_refs=[stix_id("identity", f"member {finding['group']} {nick}")
                                           for nick in sorted({seen["by"] for seen in one["seen"]})],
                       description=f"Evidence {one['id']}, by independent origins")
        times = [seen["first_seen"] for seen in one["seen"] if seen["first_seen"]]
        if times:
            first = datetime.datetime.fromtimestamp(min(times), datetime.timezone.utc)
            sighting["first_seen"] = first.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if one["grade"]["info"] in INFORMATION:
            sighting["confidence"] = INFORMATION[one["grade"]["info"]]
        working_set.append(sighting["id"])
    add("grouping", name, name="Evidence: " + finding["title"], context="suspicious-activity",
        object_refs=list(working_set))

    def side(likelihood):
        place = LIKELIHOODS.index(likelihood) - LIKELIHOODS.index("roughly-even-chance")
        return (place > 0) - (place < 0)

    for dissent_hash, dissent in dissents:
        explanation = "".join(
            point["about"] + (f", {phrase(point['likelihood'])}" if point["likelihood"] else "") + f": {point['text']}\n"
            for point in dissent["points"])
        other_side = any(point["likelihood"] and side(point["likelihood"]) * side(judgement["likelihood"]) < 0
                         for point in dissent["points"])
        add("opinion", dissent_hash.hex(), opinion="strongly-disagree" if other_side else "disagree",
            explanation=explanation, authors=[dissent["nick"]], object_refs=[report])
    for withdrawal_hash, withdrawal in withdrawals:
        add("opinion", withdrawal_hash.hex(), opinion="strongly-disagree", authors=[withdrawal["nick"]],
            explanation="Withdrew its signature: " + withdrawal["reason"], object_refs=[report])
    listed = list(refs)
    made = add("report", name, name=finding["title"], published=time, report_types=["threat-report"], object_refs=listed,
        confidence=CONFIDENCE[finding["confidence"]["level"]],
        description=f"{finding['question']}\n{judgement['text']}\nLikelihood: {phrase(judgement['likelihood'])}.\n"
                    f"Confidence: {finding['confidence']['level']}. {finding['confidence']['why']}",
        external_references=[{"source_name": "parley", "external_id": name,
                              "description": "SHA-256 of the text of the finding that members signed"}])
    gone = {withdrawal["nick"] for _, withdrawal in withdrawals}
    if withdrawals and not are_enough(charter, [nick for nick in signers if nick not in gone]):
        made["revoked"] = True
    return canonical({"type": "bundle", "id": stix_id("bundle", name), "objects": objects})


# --- The dossier -----------------------------------------------------------------------------------------------------

def are_enough(charter, nicks):
    """As many as the charter says; or, of those who are left, as many as that or all of them, and two at least."""
    due = charter.json["finding_quorum"]
    return len(nicks) >= due or len(set(nicks) - charter.left) >= max(
        2, min(due, len(set(charter.members) - charter.left)))


def check_publications(entries, finding_hash, signers, charter):
    due, withdrawn, publishers = set(), set(), []
    for entry in entries:
        if entry.header["type"] != "finding.publish" or entry.is_evidence:
            continue
        require(entry.body is not None, "what was published is not shown")
        body = fields(entry.body, "dissents hash signers v withdrawals", "a publication")
        integer(body["v"], 1, 1), ascending(body["dissents"], 512)
        ascending(body["signers"], 16), ascending(body["withdrawals"], 16)
        require(body["hash"] == finding_hash.hex(), "another finding was published")
        require(entry.nick in signers and set(body["signers"]) <= set(signers), "a publisher or signer did not sign")
        require(entry.nick not in publishers, "a member published twice")
        publishers.append(entry.nick)
        due |= {digest_of(one, "a dissent") for one in body["dissents"]}
        withdrawn |= {digest_of(one, "a withdrawal") for one in body["withdrawals"]}
    require(are_enough(charter, publishers), "too few signers published it")
    return due, withdrawn


LIMITS = {"cards": 16, "charters": 256, "checkpoints": 16, "dissents": 512, "entries": 4096, "leaves": 16, "openings": 576,
          "rotations": 1024}


def verify(data, anchor):
    """Raises Refused for whatever is wrong. Returns whether the anchor was given."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("not UTF-8") from None
    require(len(data) <= 32 << 20 and text.endswith("\n"), "not one object and a newline")
    dossier = fields(parse_pjson(text[:-1]), "cards charters checkpoints dissents entries finding format leaves openings "
                                             "rotations stix", "the dossier")
    require(dossier["format"] == "parley/dossier/v1", "another format")
    for name, most in LIMITS.items():
        require(isinstance(dossier[name], list) and len(dossier[name]) <= most, f"there are too many {name}")
    for one in dossier["entries"] + dossier["rotations"]:
        short(one["note"], 16 << 10), short(one["log"], 32), short(one.get("proof", ""), 256 << 10)
    for one in dossier["charters"] + dossier["leaves"]:
        short(one, 256 << 10)
    for one in dossier["cards"]:
        short(one, 8 << 10)
    for one in dossier["openings"]:
        short(one["text"], 4000)
    charters = [Charter(note) for note in dossier["charters"]]
    check_chain(charters, dossier["leaves"])
    require(anchor is None or anchor in [charter.hash for charter in charters], "the trusted charter is not in it")

    rotations = Rotations(dossier["rotations"], charters)
    note = Note(dossier["finding"])
    finding_hash = sha256(note.text.encode())
    finding = fields(note.object("parley/finding/v1"), FINDING_FIELDS, "the finding")
    named = [charter for charter in charters if charter.hash.hex() == finding["basis"]["charter"]]
    require(named, "the finding names a charter that is not here")
    charter = named[0]
    nicks = list(charter.members)
    signers = sorted(nicks[index] for index in note.signers([charter.members[nick]["id"] for nick in nicks]))
    require(are_enough(charter, signers), "too few members signed it")

    names = {}
    for card in dossier["cards"]:
        note_of_card = Note(card)
        member = note_of_card.object("parley/card/v1")
        note_of_card.signers([Key(member["id"])])
        require(any(one.members.get(member["nick"], {}).get("card") == sha256(card.encode()) for one in charters),
                "a card is none that a charter names")
        require(member["nick"] not in names, "a card stands twice")
        names[member["nick"]] = member["name"]

    cut = finding["basis"]["cut"]
    require(len(cut) == len(dossier["checkpoints"]), "not one checkpoint for each log")
    for place, checkpoint in zip(cut, dossier["checkpoints"]):
        require(read_checkpoint(checkpoint, place["nick"], charter, rotations) == (place["size"], bytes.fromhex(place["root"])),
                "a checkpoint is not the one of the cut")
    entries = [Entry(shown, charters, charter, dossier["checkpoints"], rotations) for shown in dossier["entries"]]
    places = [(entry.nick, entry.header["seq"]) for entry in entries]
    require(places == sorted(set(places)), "the entries do not ascend, or one stands twice")
    ascending([place["nick"] for place in cut], 16)
    trees = {place["nick"]: (place["size"], bytes.fromhex(place["root"])) for place in cut}
    refs = {bytes.fromhex(ref) for evidence in finding["evidence"] for ref in evidence["refs"]}
    held = {entry.leaf for entry in entries if trees.get(entry.nick) == entry.tree}
    require(refs <= held, "the evidence refers to an entry that is not there")
    for entry in entries:  # what is evidence of the finding cannot be about it: the finding has its hash
        entry.is_evidence = entry.leaf in refs
        require(entry.is_evidence or entry.header["type"] in ("finding.publish", "finding.withdraw"),
                "an entry serves nothing")
    newest = max([charters.index(charter)] + [entry.version for entry in entries])
    require(newest + 1 == len(charters), "a charter serves nothing")
    require(len(rotations.needed) == rotations.count, "a rotation serves nothing")

    open_texts(finding, dossier["openings"])
    due, due_withdrawals = check_publications(entries, finding_hash, signers, charter)
    dissents = [read_dissent(one, charter, finding_hash, finding) for one in dossier["dissents"]]
    hashes = [one for one, _ in dissents]
    require(hashes == sorted(set(hashes)) and set(hashes) >= due, "the dissents are not those that were published")
    withdrawals = sorted((read_withdrawal(entry, charter, finding_hash, finding, signers) for entry in entries
                          if entry.header["type"] == "finding.withdraw" and not entry.is_evidence), key=lambda one: one[0])
    require(len({one["nick"] for _, one in withdrawals}) == len(withdrawals), "a member withdrew twice")
    require(due_withdrawals <= {one for one, _ in withdrawals}, "a withdrawal that was published is left out")
    stix = fields(dossier["stix"], "bundle profile sha256", "the STIX part")
    require(stix["profile"] == "parley-stix/1", "an unknown profile of STIX")
    require(stix["sha256"] == sha256(stix["bundle"].encode()).hex(), "the STIX part is not what its hash says")
    require(stix["bundle"] == stix_bundle(finding, finding_hash, charter, signers, dissents, withdrawals, names),
            "the STIX bundle is not the one that this finding gives")
    return anchor is not None, [f"{one['nick']} withdrew its signature: {one['reason']}" for _, one in withdrawals]


def outcome_of(data, anchor):
    try:
        anchored, withdrawn = verify(data, anchor)
        why = [] if anchored else ["no charter was given to know the group by"]
        return "verified" if anchored else "unanchored", "; ".join(why + withdrawn)
    except Refused as error:
        return "refused", str(error)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        return "refused", f"malformed ({type(error).__name__})"


def flip_bits(data, anchor, count, dice):
    """How many of `count` random flips of one bit are not refused."""
    accepted = 0
    for _ in range(count):
        bit = dice.randrange(8 * len(data))
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        accepted += outcome_of(bytes(altered), anchor)[0] != "refused"
    return accepted


def main():
    parser = argparse.ArgumentParser(description="Check dossiers; a second verifier beside parley's own.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--charter", help="hash of the group's charter, from somebody you trust")
    parser.add_argument("--flips", type=int, default=0, help="also flip so many random bits, each to be refused")
    parser.add_argument("--seed", type=int, default=20261128, help="of the flips")
    arguments = parser.parse_args()
    anchor = bytes.fromhex(arguments.charter) if arguments.charter else None
    dice, code = random.Random(arguments.seed), 0
    for path in arguments.files:
        with open(path, "rb") as file:
            data = file.read()
        outcome, why = outcome_of(data, anchor)
        print(f"{path}: {outcome}{': ' + why if why else ''}")
        code = 1 if outcome == "refused" else max(code, 3) if outcome == "unanchored" and code != 1 else code
        if arguments.flips and outcome != "refused":
            accepted = flip_bits(data, anchor, arguments.flips, dice)
            print(f"{path}: {arguments.flips} flips, {accepted} accepted")
            code = 1 if accepted else code
    return code


if __name__ == "__main__":
    sys.exit(main())
