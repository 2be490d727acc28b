#!/usr/bin/env python3
"""A slow model of the classic protocol, written from psi.md section 1 and the RFCs, sharing nothing with the program: the
group, the cipher and the protocol are plain integer arithmetic over Python's hashlib and hmac. Insecure: not constant time.

Run it to make classic.json again: python3 classic_model.py > classic.json
"""

import hashlib
import hmac
import json

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
CONTEXT = b"OPRFV1-\x00-ristretto255-SHA512"


# RFC 9496 section 4: ristretto255 over extended coordinates of edwards25519.


def negative(x):
    return x % P & 1


def absolute(x):
    return -x % P if negative(x) else x % P


def sqrt_ratio(u, v):
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    correct = check == u % P
    flipped = check == -u % P
    flipped_i = check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, absolute(r)


_, INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)
_, SQRT_AD_MINUS_ONE = sqrt_ratio(-D - 1, 1)
if negative(SQRT_AD_MINUS_ONE) == 0:
    # RFC 9496 names the odd root; sqrt_ratio gives the even one.
    SQRT_AD_MINUS_ONE = -SQRT_AD_MINUS_ONE % P


def decode(data):
    s = int.from_bytes(data, "little")
    if s >= P or negative(s):
        return None
    u1 = (1 - s * s) % P
    u2 = (1 + s * s) % P
    v = (-(D * u1 * u1) - u2 * u2) % P
    square, inverse = sqrt_ratio(1, v * u2 * u2)
    den_x = inverse * u2 % P
    den_y = inverse * den_x * v % P
    x = absolute(2 * s * den_x)
    y = u1 * den_y % P
    t = x * y % P
    if not square or negative(t) or y == 0:
        return None
    return x, y, 1, t


def encode(point):
    x0, y0, z0, t0 = point
    u1 = (z0 + y0) * (z0 - y0) % P
    u2 = x0 * y0 % P
    _, inverse = sqrt_ratio(1, u1 * u2 * u2)
    den1 = inverse * u1 % P
    den2 = inverse * u2 % P
    z_inverse = den1 * den2 * t0 % P
    if negative(t0 * z_inverse):
        x, y, den = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den = x0, y0, den2
    if negative(x * z_inverse):
        y = -y % P
    return absolute(den * (z0 - y)).to_bytes(32, "little")


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    p = (y1 - x1) * (y2 - x2) % P
    q = (y1 + x1) * (y2 + x2) % P
    r = 2 * t1 * D * t2 % P
    s = 2 * z1 * z2 % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(k, point):
    result = (0, 1, 1, 0)
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def elligator(t):
    r = SQRT_M1 * t * t % P
    u = (r + 1) * (1 - D * D) % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    s_prime = -absolute(s * t) % P
    if not square:
        s = s_prime
    c = -1 if square else r
    n = (c * (r - 1) * (D - 1) * (D - 1) - v) % P
    w0 = 2 * s * v % P
    w1 = n * SQRT_AD_MINUS_ONE % P
    w2 = (1 - s * s) % P
    w3 = (1 + s * s) % P
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def from_uniform(data):
    halves = [int.from_bytes(data[i : i + 32], "little") % 2**255 % P for i in (0, 32)]
    return add(elligator(halves[0]), elligator(halves[1]))


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


# RFC 9380 section 5.3.1 and RFC 9497, mode 0x00.


def expand_message(message, tag):
    tag += bytes([len(tag)])
    b0 = hashlib.sha512(bytes(128) + message + (64).to_bytes(2, "big") + b"\0" + tag).digest()
    return hashlib.sha512(b0 + b"\1" + tag).digest()


def hash_to_group(message):
    return from_uniform(expand_message(message, b"HashToGroup-" + CONTEXT))


def derive_key(seed, info):
    for counter in range(256):
        message = seed + len(info).to_bytes(2, "big") + info + bytes([counter])
        key = int.from_bytes(expand_message(message, b"DeriveKeyPair" + CONTEXT), "little") % ORDER
        if key:
            return key


def output_of(message, element):
    return hashlib.sha512(len(message).to_bytes(2, "big") + message + b"\0\x20" + element + b"Finalize").digest()


# psi.md 0.3.6: HKDF-SHA-512 (RFC 5869) and ChaCha20 (RFC 8439) with a zero nonce.


def chacha20_block(key, counter):
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    state += [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    state += [counter & 0xFFFFFFFF, counter >> 32, 0, 0]
    w = list(state)

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            w[x] = (w[x] + w[y]) & 0xFFFFFFFF
            w[z] ^= w[x]
            w[z] = (w[z] << turn | w[z] >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for column in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            quarter(*column)
        for diagonal in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*diagonal)
    return b"".join(((a + b) & 0xFFFFFFFF).to_bytes(4, "little") for a, b in zip(w, state))


def stream_key(seed, sid, label):
    pseudorandom_key = hmac.digest(sid, seed, "sha512")
    return hmac.digest(pseudorandom_key, label + b"\1", "sha512")[:32]


def drbg_block(seed, sid, label, block):
    return chacha20_block(stream_key(seed, sid, label), block)


# psi.md section 1, protocol 1A, and the transcript of 0.3.3.

TYPES = {"public_key": 0x0101, "blinded": 0x0102, "evaluated": 0x0103, "tags": 0x0104, "matched_tags": 0x0105, "matched_count": 0x0106}
FROM_RECEIVER, FROM_SENDER = 0, 1


def oprf_input(sid, element):
    label = b"parley/v1/oprf/in"
    return hashlib.sha512(bytes([len(label)]) + label + sid + element).digest()


def run(sid, receiver_seed, sender_seed, receiver_set, sender_set, reply):
    transcript = sid
    messages = []

    def say(direction, name, payload):
        nonlocal transcript
        head = bytes([direction]) + TYPES[name].to_bytes(2, "big") + len(payload).to_bytes(8, "big")
        transcript = hashlib.sha256(b"parley/v1/tr" + transcript + head + hashlib.sha256(payload).digest()).digest()
        messages.append({"name": name, "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()})

    key = derive_key(drbg_block(sender_seed, sid, b"oprf-key", 0)[:32], b"parley/v1/classic/oprf-key")
    say(FROM_SENDER, "public_key", encode(multiply(key, BASE)))

    blinds = [int.from_bytes(drbg_block(receiver_seed, sid, b"blind", i), "little") % ORDER for i in range(len(receiver_set))]
    inputs = [oprf_input(sid, x) for x in receiver_set]
    blinded = sorted((encode(multiply(r, hash_to_group(x))), i) for i, (r, x) in enumerate(zip(blinds, inputs)))
    say(FROM_RECEIVER, "blinded", b"".join(b for b, _ in blinded))

    evaluated = [encode(multiply(key, decode(b))) for b, _ in blinded]
    say(FROM_SENDER, "evaluated", b"".join(evaluated))
    theirs = {}
    for i, y in enumerate(sender_set):
        y = oprf_input(sid, y)
        out = output_of(y, encode(multiply(key, hash_to_group(y))))
        theirs[out[:16]] = (i, out)
    say(FROM_SENDER, "tags", b"".join(sorted(theirs)))

    found = []
    for (_, i), z in zip(blinded, evaluated):
        out = output_of(inputs[i], encode(multiply(pow(blinds[i], -1, ORDER), decode(z))))
        if out[:16] in theirs:
            found.append((i, theirs[out[:16]][0], out))
    if reply == "matched_tags":
        say(FROM_RECEIVER, "matched_tags", b"".join(sorted(out[16:32] for _, _, out in found)))
    if reply == "count":
        say(FROM_RECEIVER, "matched_count", len(found).to_bytes(8, "big"))
    found.sort()
    return {
        "messages": messages,
        "transcript": transcript.hex(),
        "receiver_positions": [i for i, _, _ in found],
        "sender_positions": sorted(j for _, j, _ in found),
        "context_keys": [out[32:].hex() for _, _, out in found],
    }


def element(i):
    """The i-th element of the test sets: type 1, a length, and a text."""
    text = b"element %d" % i
    return b"\x01" + len(text).to_bytes(2, "big") + text


def main():
    sid = hashlib.sha256(b"a session").digest()
    receiver_seed = hashlib.sha256(b"the receiver's seed").digest()
    sender_seed = hashlib.sha256(b"the sender's seed").digest()
    streams = [
        {"label": label, "block": block, "bytes": drbg_block(receiver_seed, sid, label.encode(), block).hex()}
        for label, block in (("blind", 0), ("blind", 1), ("blind", 2**32 + 5), ("oprf-key", 0))
    ]
    cases = []
    for first, last, their_first, their_last, reply in (
        (0, 100, 60, 160, "matched_tags"),
        (0, 100, 60, 160, "none"),
        (0, 100, 60, 160, "count"),
        (0, 3, 2, 7, "matched_tags"),
        (0, 5, 0, 5, "matched_tags"),
        (0, 4, 4, 9, "matched_tags"),
        (0, 0, 0, 2, "matched_tags"),
        (0, 2, 0, 0, "count"),
        (0, 0, 0, 0, "none"),
    ):
        ours, theirs = range(first, last), range(their_first, their_last)
        result = run(sid, receiver_seed, sender_seed, [element(i) for i in ours], [element(i) for i in theirs], reply)
        cases.append({"receiver_set": [first, last], "sender_set": [their_first, their_last], "reply": reply} | result)
    print(json.dumps({
        "how_made": "classic_model.py beside this file, which shares no code with the program",
        "elements": "number i is 0x01, u16be length, the text \"element i\"; sets are [first, end)",
        "session_id": sid.hex(),
        "receiver_seed": receiver_seed.hex(),
        "sender_seed": sender_seed.hex(),
        "streams_of_receiver_seed": streams,
        "runs": cases,
    }, indent=1))


main()
