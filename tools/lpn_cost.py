#!/usr/bin/env python3
"""What the noise of the silent VOLE costs to find, from measured weights of its code (docs/lpn.md).

  lpn_cost.py                     with the committed weights, tools/lpn_weights.json
  lpn_cost.py --quick PROGRAM     besides, small measurements by PROGRAM (lpn_weights), which must fit them
  lpn_cost.py --measure PROGRAM   measures anew (minutes) and prints the weights to commit

Ends with 1 when a criterion fails. Standard library only. All costs are log2 of operations on field elements.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

NOISE_WEIGHT = 352  # t
SECURITY = 128
INSTANCES = 16  # in one session: breaking any one of them is enough
PICKS = 21
STATE = 25  # what the convolution carries from one position to the next
FIELD_BITS = 128
SIZES = (1 << 14, 1 << 16, 84_000, 334_404, 1_343_264, 1_350_000)
FIELD_CODE = "ec21"


def inputs_for(outputs, weight=NOISE_WEIGHT):
    """N = t * l with l even, psi.md 2.2."""
    return weight * 2 * -(-outputs // weight)


def log2_binomial(n, m):
    if m < 0 or m > n:
        return -math.inf
    return (math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1)) / math.log(2)


def log2_sum(terms):
    """log2 of a sum of powers of 2, given by their exponents."""
    top = max(terms)
    return top + math.log2(sum(2 ** (x - top) for x in terms))


# ---- 1. Single rows ------------------------------------------------------------------------------------------------

def row_misses(rows, weight=NOISE_WEIGHT):
    """-log2 of the mean over rows of (1 - wt/N)^t: noise anywhere; the histogram rounds weights down."""
    total = sum(rows["histogram"].values())
    terms = [math.log2(count / total) + weight * math.log2(1 - int(step) / rows["steps"])
             for step, count in rows["histogram"].items()]
    return -log2_sum(terms)


# ---- 2. Information sets over the field ------------------------------------------------------------------------------

def prange(outputs, inputs, weight):
    """Prange 1962 with noise anywhere, elimination by Strassen: psi.md 2.2.1 (2)."""
    return weight * math.log2(inputs / (inputs - outputs)) + 2.8 * math.log2(outputs)


def pooled_gauss(outputs, inputs, weight):
    """Esser, Kuebler and May 2017, as Liu, Wang, Yang and Yu (ePrint 2022/712) count it for exact weight t."""
    secret = inputs - outputs
    missing = log2_binomial(inputs - secret, weight) - log2_binomial(inputs, weight)
    return 2.8 * math.log2(min(secret, outputs)) - missing


def regular_prange(outputs, inputs, weight):
    """One information set with as many positions of each block (Esser and Santini, ePrint 2023/1568, permutation-based,
    large field): the error positions of all blocks must lie among the k that are solved for."""
    solved = outputs / inputs
    return -weight * math.log2(solved) + 2 * math.log2(outputs) + math.log2(inputs)


def collision_decoding(outputs, inputs, weight):
    """Stern's and later algorithms over a field of 2^128: p > 0 errors in the information set multiply a list by 2^128
    an error on each side (Peters 2010; ePrint 2022/712, section 5), so p = 0 is the best and is pooled Gauss. The figure
    is for p = 2 with the list alone."""
    secret = inputs - outputs
    lists = log2_binomial(secret // 2, 1) + FIELD_BITS
    missing = log2_binomial(outputs, weight - 2) + log2_binomial(secret, 2) - log2_binomial(inputs, weight)
    return lists - missing


def statistical_decoding(outputs, inputs, weight):
    """Parity checks of a random code over a large field, all but k + 1 positions full (ePrint 2022/712, theorem for
    F_q), and the 2.0 variant that guesses part of the secret first."""
    def cost(secret):
        miss = log2_binomial(inputs, weight) - log2_binomial(inputs - secret - 1, weight)
        return math.log2(secret + 1) + 2 * miss
    secret = inputs - outputs
    guessed = int(pooled_gauss(outputs, inputs, weight) / FIELD_BITS)
    return min(cost(secret), cost(secret - guessed))


def hybrid(outputs, inputs, weight):
    """Guess u error-free positions in each block, then linearise the products of two positions of one block (ePrint
    2025/1284, large field). Attacker-friendly: only the elimination of the linear part and of the guess is charged."""
    block = inputs // weight
    secret = inputs - outputs
    best = math.inf
    for guessed in range(0, block - 1):
        unknown = max(0, secret - weight * guessed)
        quadratic = weight * (block - guessed) * (block - guessed - 1) / 2
        if unknown and unknown * (unknown + 3) / 2 > quadratic:
            continue
        work = 2.8 * math.log2(max(2, unknown * (unknown + 3) / 2))
        best = min(best, -weight * math.log2(1 - guessed / block) + work)
    return best


def algebraic(outputs, inputs, weight, max_degree=8):
    """Briaud and Oygarden (ePrint 2023/176) over a large field: guess m error-free positions in each of f blocks, then
    linearise at the degree at which the Hilbert series
        (1 - z)^(n-k-h) * (1 + (b-m-1) z)^f * (1 + (b-1) z)^(h-f)
    has no positive coefficient; cost 2 log2(monomials) + log2(3 (k + 1 - f m)) - f log2(1 - m/b)."""
    block = inputs // weight
    secret = inputs - outputs
    equations = inputs - secret - weight

    def power(base, exponent):
        """Coefficients of (1 + base z)^exponent; a negative exponent is a series."""
        out = [1.0]
        for i in range(max_degree):
            out.append(out[-1] * base * (exponent - i) / (i + 1))
        return out

    def times(a, b):
        return [sum(a[i] * b[d - i] for i in range(d + 1)) for d in range(max_degree + 1)]

    best = math.inf
    for blocks in {weight, weight - 1, *range(0, weight, 16)}:
        for guessed in {0, *range(1, block - 1, max(1, block // 400))}:
            if blocks * guessed > secret:
                break
            variables = times(power(block - guessed - 1, blocks), power(block - 1, weight - blocks))
            series = times(power(-1, equations), variables)
            degree = next((d for d in range(2, max_degree + 1) if sum(series[2:d + 1]) < 1), None)
            if degree is None:
                continue
            monomials = sum(times(power(-1, -(weight - 1)), variables)[1:degree + 1])
            cost = (2 * math.log2(monomials) + math.log2(3 * (secret + 1 - blocks * guessed))
                    - blocks * math.log2(1 - guessed / block))
            best = min(best, cost)
    return best


# ---- 3. Projection to F_2 --------------------------------------------------------------------------------------------

def projection(outputs, inputs, weight):
    """A binary code projects to F_2 by any functional; half of the noise values vanish there. Then binary decoding of
    what is left, w log2(N/(N-k)) operations as a lower bound, and one elimination serves k functionals."""
    log2_all = -weight
    tail = -math.inf
    best = math.inf
    for left in range(weight + 1):
        tail = log2_sum([tail, log2_binomial(weight, left) + log2_all]) if tail > -math.inf else log2_all
        best = min(best, -tail + left * math.log2(inputs / (inputs - outputs)))
    return best - math.log2(outputs)


# ---- 4. Words that eliminations give ---------------------------------------------------------------------------------

def random_elimination(binary, weight, inputs, outputs):
    """Words with k - 1 chosen zeros, spread evenly: half of the others vanish in a binary code, none over the field."""
    zeros = outputs / inputs
    return -weight * math.log2(zeros + (1 - zeros) / 2 if binary else zeros)


def free_words(outputs, share):
    """How many independent words have zero sums in a `share` of e at no cost, for random picks: rows with no pick there,
    and sums of rows with one or two picks there that cancel. Rows with two are the edges of a random graph, rows with one
    tie a vertex to the ground; words are all of them, less the vertices, but for components that are trees without a tie
    (their number by size: Borel's distribution)."""
    vertices = share * outputs
    none, one, two = (math.comb(PICKS, d) * share ** d * (1 - share) ** (PICKS - d) * outputs for d in range(3))
    degree = 2 * two / vertices
    ties = one / vertices
    untied = sum(math.exp(math.log(vertices) + (size - 1) * math.log(degree * size) - (degree + ties) * size
                          - math.log(size) - math.lgamma(size + 1)) for size in range(1, 400))
    return none + one + two - vertices + untied


def free_share(outputs, weight):
    """The largest share of e in which words vanish that use few rows. Each window in which they vanish takes 25 linear
    conditions more, and one window reaches into two blocks of the noise."""
    windows = weight // 4
    low, high = 0.001, 0.9
    for _ in range(50):
        middle = (low + high) / 2
        if free_words(outputs, middle) >= STATE * windows:
            low = middle
        else:
            high = middle
    return low


def structured_words(binary, outputs, weight):
    """The lightest words that the structure of the code gives away, spread over the blocks of the noise. With no more
    rows than conditions they vanish in a share f0 of e. From there on the rows that it takes are put, in the attacker's
    favour, on the line that ends with all of e and all rows; random elimination takes a share f of them for f."""
    start = free_share(outputs, weight)
    least_rows = min(0.9, STATE * (weight // 4) / outputs)

    def bits(share):
        rows = least_rows + (1 - least_rows) * (share - start) / (1 - start)
        in_e = (1 + share) / 2 if binary else share
        in_u = 1 - rows / 2 if binary else 1 - rows
        return -weight / 2 * (math.log2(in_e) + math.log2(in_u))
    steps = 2000
    return min(bits(start + (0.9999 - start) * i / steps) for i in range(steps)), start


def subfield_words(weight):
    """Over the field there are words with all of e binary: x = x0 + X x1 with x0, x1 binary and x1 chosen so that X
    cancels, k conditions for 2k bits. Of k bits left, a zero in u takes two and a zero in e one. The same for words of
    degree below d in X, k(d+1) bits and k conditions."""
    best = math.inf
    for degree in range(1, 9):
        for i in range(1001):
            zeros_u = i / 1000 * degree / (degree + 1)
            zeros_e = min(1.0, (degree - (degree + 1) * zeros_u) / degree)
            miss_u = zeros_u + (1 - zeros_u) * 2 ** -(degree + 1)
            miss_e = zeros_e + (1 - zeros_e) * 2 ** -degree
            best = min(best, -weight / 2 * (math.log2(miss_u) + math.log2(miss_e)))
    return best


# ---- The report --------------------------------------------------------------------------------------------------------

def costs(outputs, weight):
    """All estimates for the code that is used, without the loss for several instances: name -> log2 of the cost."""
    inputs = inputs_for(outputs, weight)
    return {
        "Prange": prange(outputs, inputs, weight),
        "pooled Gauss": pooled_gauss(outputs, inputs, weight),
        "regular Prange": regular_prange(outputs, inputs, weight),
        "collision decoding, p=2": collision_decoding(outputs, inputs, weight),
        "statistical decoding": statistical_decoding(outputs, inputs, weight),
        "hybrid": hybrid(outputs, inputs, weight),
        "algebraic": algebraic(outputs, inputs, weight),
        "random elimination": random_elimination(False, weight, inputs, outputs),
        "structured words": structured_words(False, outputs, weight)[0],
        "subfield words": subfield_words(weight),
    }


def binary_costs(outputs, weight):
    """What holds for a code without X in its last tap."""
    inputs = inputs_for(outputs, weight)
    return {
        "projection": projection(outputs, inputs, weight),
        "random elimination": random_elimination(True, weight, inputs, outputs),
        "structured words": structured_words(True, outputs, weight)[0],
    }


class Report:
    def __init__(self):
        self.failed = 0

    def criterion(self, name, bits, lost=0.0):
        ok = bits - lost >= SECURITY
        self.failed += not ok
        print(f"  {'ok  ' if ok else 'FAIL'} {name:<28} {bits - lost:7.1f}")

    def check(self, name, ok):
        self.failed += not ok
        print(f"  {'ok  ' if ok else 'FAIL'} {name}")


def report_rows(report, measured):
    print(f"1. Mean over rows of (1 - wt/N)^t, t = {NOISE_WEIGHT}; in brackets with one noise position a block")
    for rows in measured["rows"]:
        bits = row_misses(rows)
        regular = rows["regular_log2_mean"]
        name = f"{rows['variant']}, k={rows['k']}"
        with_blocks = "none missed" if regular < -9000 else f"{-regular:.1f}"
        if rows["variant"] == FIELD_CODE:
            report.criterion(f"{name} [{with_blocks}]", bits)
        else:
            print(f"       {name} [{with_blocks}]  {bits:.1f}")


def report_words(report, measured):
    print("4. Lightest words that eliminations found")
    for found in measured["eliminations"]:
        text = (f"{found['variant']}, k={found['k']}, {found['eliminations']} eliminations: lightest {found['lightest']}, "
                f"mean {found['mean']}, mean of (1 - wt/N)^352 2^{found['log2_mean_misses']}")
        if found["variant"] == FIELD_CODE:
            # Over the field all but the k - 1 chosen positions are full; the 5 % are for the first rows of a small code,
            # where X has not come far.
            share = (found["N"] - found["k"] + 1) / found["N"]
            report.check(text, found["lightest"] >= 0.95 * share)
        else:
            print(f"       {text}")
    for found in measured["windows"]:
        text = (f"{found['variant']}, k={found['k']}: {found['words']} words vanish in {found['share']} of e "
                f"({found['free_rows']} rows, {found['conditions']} conditions); weight {found['weight_in_u']} of u, "
                f"{found['weight_in_e']} of e")
        full = 1 - found["share"] - 2 * found["conditions"] / found["N"]  # what neither vanishes nor was a pivot
        expected = full if found["variant"] == FIELD_CODE else full / 2
        report.check(text, found["words_that_vanish_there"] == found["words"] > 0
                     and abs(found["weight_in_e"] - expected) < 0.02)


def report_costs(report):
    lost = math.log2(INSTANCES)
    for outputs in SIZES:
        inputs = inputs_for(outputs)
        print(f"2, 3, 5. k={outputs}, N={inputs}, t={NOISE_WEIGHT}, less {lost:.0f} for {INSTANCES} instances")
        for name, bits in costs(outputs, NOISE_WEIGHT).items():
            report.criterion(name, bits, lost)
        share = free_share(outputs, NOISE_WEIGHT)
        others = ", ".join(f"{name} {bits - lost:.1f}" for name, bits in binary_costs(outputs, NOISE_WEIGHT).items())
        print(f"       were it binary: {others} (free share of e: {share:.3f})")


def report_least_weight():
    lost = math.log2(INSTANCES)
    print("The least t, a multiple of 16, at which every estimate is above 128 for every k")
    for name, estimate in (("this code", costs), ("were it binary", binary_costs)):
        least = next(t for t in range(64, 1024, 16)
                     if all(min(estimate(k, t).values()) - lost >= SECURITY for k in SIZES))
        worst = min((bits, what) for k in SIZES for what, bits in estimate(k, least).items())
        print(f"       {name}: {least} (least margin: {worst[1]}, {worst[0] - lost:.1f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", metavar="PROGRAM")
    parser.add_argument("--measure", metavar="PROGRAM")
    options = parser.parse_args()
    if options.measure:
        json.dump(json.loads(subprocess.check_output([options.measure, "full"])), sys.stdout, separators=(",", ":"))
        return 0
    committed = json.loads((pathlib.Path(__file__).parent / "lpn_weights.json").read_text())
    report = Report()
    if options.quick:
        print("Measured now")
        measured = json.loads(subprocess.check_output([options.quick, "quick"]))
        report_rows(report, measured)
        report_words(report, measured)
        print("Committed")
    report_rows(report, committed)
    report_words(report, committed)
    report_costs(report)
    if not options.quick:
        report_least_weight()
    print(f"{report.failed} criteria failed" if report.failed else "all criteria hold")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
