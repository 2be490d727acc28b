#!/usr/bin/env python3
"""A slow model of admission tags, written from psi.md section 6.6 and RFC 9497, sharing nothing with the program: the group
and the stream are those of classic_model.py. Insecure: not constant time.

Run it to make admission.json again: python3 admission_model.py > admission.json
"""

import contextlib
import hashlib
import io
import json

with contextlib.redirect_stdout(io.StringIO()):
    import classic_model as model

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"


def labelled(label, digest, *rest):
    return hashlib.sha512(bytes([len(label)]) + label + digest + b"".join(rest)).digest()


def hash_to_group(message):
    return model.from_uniform(model.expand_message(message, b"HashToGroup-" + CONTEXT))


def derive_key(seed, info):
    message = seed + len(info).to_bytes(2, "big") + info + b"\0"
    return int.from_bytes(model.expand_message(message, b"DeriveKeyPair" + CONTEXT), "little") % model.ORDER


def possession(key, claim, nonce):
    public = model.encode(model.multiply(key, model.BASE))
    commitment = model.encode(model.multiply(nonce, model.BASE))
    c = int.from_bytes(labelled(b"parley/v1/adm/possession", claim, public, commitment), "little") % model.ORDER
    return c.to_bytes(32, "little") + ((nonce - c * key) % model.ORDER).to_bytes(32, "little")


def main():
    epoch = hashlib.sha256(b"an epoch").digest()
    claim = hashlib.sha256(b"a claim").digest()
    seed = hashlib.sha256(b"the seed of a batch").digest()
    nonce = int.from_bytes(hashlib.sha512(b"a nonce").digest(), "little") % model.ORDER
    members = []
    for i in range(3):
        key_seed = hashlib.sha256(b"member %d" % i).digest()
        key = derive_key(key_seed, b"epoch 1")
        members.append({"seed": key_seed, "key": key})
    elements = [b"\x01" + len(v).to_bytes(2, "big") + v for v in (b"198.51.100.%d" % i for i in range(70))]
    total = sum(member["key"] for member in members) % model.ORDER
    rows = []
    for i, element in enumerate(elements):
        point = hash_to_group(labelled(b"parley/v1/adm", epoch, element))
        blind = int.from_bytes(model.drbg_block(seed, epoch, b"adm-blind", i), "little") % model.ORDER
        blinded = model.multiply(blind, point)
        # The sum of keys on the element itself: blinding and unblinding must leave no trace.
        value = model.encode(model.multiply(total, point))
        rows.append({
            "element": element.hex(),
            "blinded": model.encode(blinded).hex(),
            "evaluated": [model.encode(model.multiply(member["key"], blinded)).hex() for member in members],
            "tag": labelled(b"parley/v1/adm/tag", epoch, element, value)[:32].hex(),
        })
    print(json.dumps({
        "how_made": "admission_model.py beside this file, which shares no code with the program",
        "epoch": epoch.hex(),
        "claim": claim.hex(),
        "batch_seed": seed.hex(),
        "nonce": nonce.to_bytes(32, "little").hex(),
        "info": b"epoch 1".hex(),
        "members": [{
            "seed": member["seed"].hex(),
            "key": member["key"].to_bytes(32, "little").hex(),
            "public_key": model.encode(model.multiply(member["key"], model.BASE)).hex(),
            "possession": possession(member["key"], claim, nonce).hex(),
        } for member in members],
        "elements": rows,
    }, indent=1))


main()
