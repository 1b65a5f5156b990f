"""Check a certificate of robustness by integers alone: python check.py NETWORK CERTIFICATE."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any


def bound(layers: Any, form: Any, value: int, box: Any, scale: int = 1) -> int:
    """Least integer that a form of the outputs of the last of these layers can be in a box."""
    for step, neurons in layers[::-1]:
        used = [(c, row, b, *two[c < 0]) for c, (row, b, two, _) in zip(form, neurons, strict=True)]
        value, scale = value * 512 * step, scale * 512 * step
        value += sum(c * (offset + 2 * slope * bias) for c, _, bias, _, slope, offset in used)
        rows = [[2 * c * slope * w for w in row] for c, row, _, _, slope, _ in used if c * slope]
        form = [*map(sum, zip([0] * len(neurons[0][0]), *rows, strict=True))]
    return -int(-(value + sum(c * v[c < 0] for c, v in zip(form, box, strict=True))) // scale)


def lines(s: int, a: int, b: int, y: Any, step: int) -> Any:
    """Height, slope, offset: ``s 512 step output <= s (2 slope sum + offset)`` for sums a .. b."""
    for slope in (0, 256, 256 * step * (y[1] - y[0]) // max(b - a, 1)):
        at = [2 * a, 2 * b, *(min(max((2 * v - s) * step, 2 * a), 2 * b) for v in y)]
        tops = [min(max(p + s * step, 2 * step * y[0]), 2 * step * y[1]) for p in at]
        offset = s * max(s * (256 * t - slope * p) for t, p in zip(tops, at, strict=True))
        yield s * (offset + slope * (a + b)), slope, offset


def holds(file: Any, box: Any, winner: int, deep: bool) -> bool:
    """Return True if it follows that the class is ``winner``; ``deep`` finds more, slowly."""
    *linear, end = file["spec"]["stages"]
    layers, x = box[:0], box
    past = layers if deep else box[:0]
    for s in linear:
        step, top = 1 << s["w"]["frac"] + s["x"]["frac"] - s["y"]["frac"], 1 << s["y"]["width"] - 1
        least, neurons = {(1, None): 0, (0, None): -top}[s["relu"], s.get("activation")], []
        for row, bias in zip(file["weights"][s["weights"]], file["biases"][s["name"]], strict=True):
            a, b = bound(past, row, bias, x), -bound(past, [-w for w in row], -bias, x)
            near = [(2 * v + step - (v // step % 2 == 0)) // (2 * step) for v in (a, b)]
            y = [min(max(code, least), top - 1) for code in near]
            neurons.append((row, bias, [min(lines(sign, a, b, y, step)) for sign in (-1, 1)], y))
        layers.append((step, neurons))
        x = box if deep else [y for *_, y in neurons]
    n, centre = range(end["n"]), (end["score"] == "taylor2") << end["x"]["frac"]
    signs, rivals = (1, -1) if centre else (1,), [k for k in n if k != winner]
    for s, forms in [(s, [(r, t) for r in rivals for t in signs]) for s in signs]:
        rows = [[s * (k == winner) - t * (k == r) for k in n] for r, t in forms]
        ties = [centre * (s - t) - (r < winner) for r, t in forms]
        if all(bound(layers, *form, box) >= 0 for form in zip(rows, ties, strict=True)):
            return True
    return False


def check(network: str, certificate: str) -> str:
    """Return what is proved; raises an error at the first sample of which it is not."""
    file, proof = (json.loads(Path(name).read_text()) for name in (network, certificate))
    first, *_, last = file["spec"]["stages"]
    leaves, exact, top = 0, 0, 1 << first["x"]["width"] - 1
    for number, (x, won, size, cuts, other, rival) in enumerate(proof["samples"], 1):
        good = {*map(type, [*x, won, size, *cuts, *other, rival])} == {int} and size >= 0
        good &= {*x, *other} <= {*range(-top, top)} and {won, rival} <= {*range(last["n"])}
        steps, boxes = iter(cuts), [[(max(v - size, -top), min(v + size, top - 1)) for v in x]]
        while good and boxes:
            box, i = boxes.pop(), next(steps)
            if i >= 0:
                (low, high), at = box[i], next(steps)
                boxes += [[*box[:i], p, *box[i + 1 :]] for p in ((at + 1, high), (low, at))]
            leaves, good = leaves + (i < 0), i >= 0 or holds(file, box, won, i < -1)
        if other:
            good = good and rival != won and holds(file, [(v, v) for v in other], rival, False)
            exact += size + 1 == max(abs(v - w) for v, w in zip(x, other, strict=True))
        if not good or proof["network"] != hashlib.sha256(Path(network).read_bytes()).hexdigest():
            raise ValueError(f"sample {number} is not proved")
    return f"{number} boxes proved in {leaves} leaves, {exact} of them the largest"


if __name__ == "__main__":
    sys.excepthook = lambda kind, error, trace: sys.stderr.write(f"refused: {error!r}\n")
    print(check(*sys.argv[1:]))
