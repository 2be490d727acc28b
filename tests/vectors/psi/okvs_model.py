#!/usr/bin/env python3
"""A slow model of the oblivious key-value store, written from psi.md section 2.3, sharing nothing with the program: AES,
the field and the elimination are plain integer arithmetic. Standard library only.

Run it to make okvs.json again: python3 okvs_model.py > okvs.json
"""

import hashlib
import json
from collections import deque

ROW_KEY = b"parley/v1/okvs/1"
MASK = (1 << 128) - 1


# FIPS 197, encryption with a 128-bit key.


def times_two(byte):
    return (byte << 1 ^ (0x11B if byte & 0x80 else 0)) & 0xFF


def make_s_box():
    # 3 generates the multiplicative group: walk it and its inverse together.
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p = p ^ times_two(p)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        if q & 0x80:
            q ^= 0x09
        box[p] = 0x63 ^ q
        for shift in (1, 2, 3, 4):
            box[p] ^= (q << shift | q >> (8 - shift)) & 0xFF
        if p == 1:
            return box


S_BOX = make_s_box()


def round_keys(key):
    words = [list(key[4 * i : 4 * i + 4]) for i in range(4)]
    constant = 1
    for i in range(4, 44):
        word = list(words[i - 1])
        if i % 4 == 0:
            word = [S_BOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = times_two(constant)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[4 * i : 4 * i + 4], []) for i in range(11)]


def aes(key, block):
    keys = round_keys(key)
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 11):
        state = [S_BOX[b] for b in state]
        state = [state[(i + 4 * (i % 4)) % 16] for i in range(16)]
        if number < 10:
            mixed = []
            for c in range(0, 16, 4):
                column = state[c : c + 4]
                for i in range(4):
                    a, b, d, e = (column[(i + k) % 4] for k in range(4))
                    mixed.append(times_two(a) ^ times_two(b) ^ b ^ d ^ e)
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[number])]
    return bytes(state)


assert aes(bytes(range(16)), bytes(17 * i for i in range(16))).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


# GF(2^128), psi.md 0.4: little-endian, x^128 + x^7 + x^2 + x + 1.


def multiply(a, b):
    product = 0
    for bit in range(128):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(254, 127, -1):
        if product >> bit & 1:
            product ^= 1 << bit ^ 0x87 << (bit - 128)
    return product


def invert(a):
    result, exponent = 1, (1 << 128) - 2
    while exponent:
        if exponent & 1:
            result = multiply(result, a)
        a = multiply(a, a)
        exponent >>= 1
    return result


assert invert(0x0F0E0D0C0B0A09080706050403020100) == int.from_bytes(bytes.fromhex("ea6efa575bd2c65f230b97d689942b0c"), "little")


# psi.md 2.3.4: rows.


def number(data):
    return int.from_bytes(data, "little")


def row_of(digest, sparse, dense):
    seed = digest[16:]
    words = [number(seed[4 * i : 4 * i + 4]) for i in range(4)]
    first = words[1] * sparse >> 32
    second = words[2] * (sparse - 1) >> 32
    third = words[3] * (sparse - 2) >> 32
    second += second >= first
    low, high = sorted((first, second))
    third += third >= low
    third += third >= high
    point = number(aes(ROW_KEY, seed)) ^ number(seed)
    powers = [point]
    for _ in range(dense - 1):
        powers.append(multiply(powers[-1], point))
    return (first, second, third), powers


def triangulate(rows, sparse):
    """Pivots (row, column) in order, and the rows that have none."""
    left = [set() for _ in range(sparse)]
    for i, columns in enumerate(rows):
        for c in columns:
            left[c].add(i)
    queue = deque(c for c in range(sparse) if len(left[c]) == 1)
    pivots, gaps, remaining = [], [], len(rows)

    def remove(i):
        for c in rows[i]:
            left[c].remove(i)
            if len(left[c]) == 1:
                queue.append(c)

    while remaining:
        while queue:
            c = queue.popleft()
            if left[c]:
                (i,) = left[c]
                pivots.append((i, c))
                remove(i)
                remaining -= 1
        if remaining:
            c = min((c for c in range(sparse) if left[c]), key=lambda c: (len(left[c]), c))
            pivot, *others = sorted(left[c])
            pivots.append((pivot, c))
            gaps += others
            for i in (pivot, *others):
                remove(i)
            remaining -= 1 + len(others)
    return pivots, gaps


def encode(digests, values, sparse, dense):
    """The cells and the number of gap rows; no cells when there is no solution."""
    rows, powers = zip(*(row_of(d, sparse, dense) for d in digests)) if digests else ((), ())
    pivots, gaps = triangulate(rows, sparse)
    if len(gaps) > dense:
        return None, len(gaps)
    row_of_column = {c: (order, i) for order, (i, c) in enumerate(pivots)}
    # Gap rows, less pivot rows in their order until no pivot column is left: an equation in the dense cells.
    equations = []
    for gap in gaps:
        columns, equation = set(rows[gap]), powers[gap] + [values[gap]]
        while columns & row_of_column.keys():
            _, i = min(row_of_column[c] for c in columns if c in row_of_column)
            columns ^= set(rows[i])
            equation = [a ^ b for a, b in zip(equation, powers[i] + [values[i]])]
        equations.append(equation)
    taken = []
    for i, equation in enumerate(equations):
        column = next((j for j in range(dense) if equation[j]), None)
        if column is None:
            return None, len(gaps)
        scale = invert(equation[column])
        equations[i] = equation = [multiply(scale, a) for a in equation]
        for k, other in enumerate(equations):
            if k != i:
                factor = other[column]
                equations[k] = [a ^ multiply(factor, b) for a, b in zip(other, equation)]
        taken.append(column)
    cells = [0] * (sparse + dense)
    for i, column in enumerate(taken):
        cells[sparse + column] = equations[i][dense]
    for i, c in reversed(pivots):
        value = values[i]
        for j in range(dense):
            value ^= multiply(powers[i][j], cells[sparse + j])
        for other in rows[i]:
            if other != c:
                value ^= cells[other]
        cells[c] = value
    return cells, len(gaps)


def decode(cells, digest, sparse, dense):
    columns, powers = row_of(digest, sparse, dense)
    value = 0
    for c in columns:
        value ^= cells[c]
    for j in range(dense):
        value ^= multiply(powers[j], cells[sparse + j])
    return value


def key(name, i):
    return hashlib.sha256(f"{name} {i}".encode()).digest()


def hexadecimal(value):
    return value.to_bytes(16, "little").hex()


def bin_vectors():
    # Name, keys, sparse and dense cells: with room, then with so little that rows are left over, then with too little.
    cases = [("none", 0, 8, 3), ("one", 1, 8, 3), ("few", 5, 12, 3), ("hundred", 100, 160, 4)]
    cases += [(f"tight {i}", 60, 74, 6) for i in range(24)]
    cases += [(f"too tight {i}", 60, 50, 4) for i in range(2)]
    for name, count, sparse, dense in cases:
        digests = [key(name, i) for i in range(count)]
        values = [number(d[:16]) for d in digests]
        cells, gaps = encode(digests, values, sparse, dense)
        vector = {"name": name, "count": count, "sparse_cells": sparse, "dense_cells": dense, "gap_rows": gaps}
        if cells is not None:
            assert all(decode(cells, d, sparse, dense) == v for d, v in zip(digests, values))
            encoded = b"".join(c.to_bytes(16, "little") for c in cells)
            vector["cells_sha256"] = hashlib.sha256(encoded).hexdigest()
            vector["cells"] = [hexadecimal(c) for c in cells] if count <= 5 else []
            vector["stranger"] = hexadecimal(decode(cells, key("stranger", 0), sparse, dense))
        yield vector


def row_vectors():
    for i, (bins, sparse, dense) in enumerate([(1, 3, 3), (1, 4, 3), (2, 1470, 4), (16, 83951, 3), (256, 84248, 3)]):
        for j in range(3):
            digest = key("row", 3 * i + j)
            columns, powers = row_of(digest, sparse, dense)
            yield {
                "key": digest.hex(),
                "bins": bins,
                "sparse_cells": sparse,
                "bin": number(digest[16:20]) * bins >> 32,
                "columns": columns,
                "powers": [hexadecimal(p) for p in powers],
            }


if __name__ == "__main__":
    made = "okvs_model.py beside this file, which shares no code with the program; keys are sha256(\"<name> <i>\")"
    print(json.dumps({"how_made": made, "rows": list(row_vectors()), "bins": list(bin_vectors())}, indent=1))
