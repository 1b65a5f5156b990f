"""Damage to files: what a seeded generator makes of bytes, of text and of JSON-like values."""

import copy
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

TOKEN = re.compile(r'"[^"\n]*"|[-+]?\w[\w.+-]*')
BREAKERS = ["\0", "\ufeff", "\u2028", "\x1c", "\u00a0", "\u0665", "\\ud800", '"', "{", "]", "\r\n"]
MOST_EDITS = 3

# Lists within lists: as deep as a reader only just can follow, and deeper.
DEPTHS = (20, 70, 300, 600, 900, 960, 985, 995, 1200, 100_000)
NESTED = ["[" * depth + "]" * depth for depth in DEPTHS]

ODD_NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 63, 64, 255, 4096, 4097, 1.0, -0.0, 0.5, 1e308),
    *(s * (1 << k) - d for k in (31, 63, 64) for s in (1, -1) for d in (0, 1)),
    *4 * [(1 << 63) - 1, -1 << 63],
    *(10**400, 10**4200, float("nan"), float("inf"), -float("inf")),
]
ODD_WORDS: list[Any] = [
    *("", " ", "1", "fc1", "x" * 3000, "a\nb", "\u00e9t\u00e9", "\u0661", "\ud800", "__class__"),
    *("../../x", "nan", "exp", "reciprocal", "taylor2", "restoring", "\0", "{0}", "%s"),
]
ODD_OTHERS: list[Any] = [None, True, False, [], {}, [[]], [{}], {"": 0}, [None], [True], [0.5]]


def damaged_bytes(rng: random.Random, data: bytes) -> bytes:
    """A bit, byte or stretch of the data changed, dropped, doubled or moved, or another length."""
    for _ in range(rng.randint(1, MOST_EDITS)):
        place, length = rng.randrange(len(data) + 1), min(rng.choice((1, 1, 2, 8, 100)), len(data))
        before, cut, after = data[:place], data[place : place + length], data[place + length :]
        flipped = bytes(byte ^ 1 << rng.randrange(8) for byte in cut)
        middles = (flipped, rng.randbytes(length), b"", cut + cut)
        data = rng.choice([before, cut + before + after, *(before + m + after for m in middles)])
    return data


def damaged_text(rng: random.Random, text: str, tokens: Sequence[str]) -> bytes:
    """Tokens, lines or characters changed; ``tokens`` are the odd ones of the format."""
    for _ in range(rng.randint(1, MOST_EDITS)):
        kind = rng.randrange(5)
        if kind == 0:
            text = _with_lines(rng, text)
        elif kind == 1:
            text = _with_character(rng, text)
        else:
            own = TOKEN.findall(text) or [""]
            odd = (rng.choice(tokens), str(rng.choice(ODD_NUMBERS)), rng.choice(own))[kind - 2]
            text = _with_token(rng, text, odd)
    return text.encode("utf-8", "surrogatepass")


def _with_token(rng: random.Random, text: str, token: str) -> str:
    found = list(TOKEN.finditer(text))
    if not found:
        return token
    place = rng.choice(found)
    return text[: place.start()] + token + text[place.end() :]


def _with_lines(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[a]
    elif kind == 1:
        lines.insert(b, lines[a])
    elif kind == 2:
        lines[a], lines[b] = lines[b], lines[a]
    else:
        del lines[a:]
    return "\n".join(lines)


def _with_character(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    character = rng.choice([*BREAKERS, chr(rng.randrange(128)), text[place - 1 : place]])
    return text[:place] + character + text[place + rng.randint(0, 1) :]


def odd_value(rng: random.Random, root: Any) -> Any:
    """A value where another kind of value is expected; or one from elsewhere in ``root``."""
    holder, key = _place(rng, root)
    kind = rng.randrange(4)
    if kind == 0 and holder:
        return copy.deepcopy(holder[key])
    return copy.deepcopy(rng.choice((ODD_OTHERS, ODD_NUMBERS, ODD_WORDS)[kind - 1]))


def _place(rng: random.Random, root: Any) -> tuple[Any, Any]:
    """A container in ``root`` and one of its keys; an empty container where there is no place."""
    holder = root
    while isinstance(holder, dict | list) and holder:
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = rng.choice(keys)
        child = holder[key]
        if not (isinstance(child, dict | list) and child) or rng.random() < 0.15:
            return holder, key
        holder = child
    return {}, None


def damaged_value(
    rng: random.Random, value: Any, odd: Callable[[random.Random, Any], Any] = odd_value
) -> Any:
    """Entries changed, dropped, doubled, renamed, added or moved in a copy of a JSON-like value.

    ``odd`` makes what an entry is changed to.
    """
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, MOST_EDITS)):
        holder, key = _place(rng, value)
        if holder:
            _edit(rng, value, holder, key, odd)
    return value


def _edit(rng: random.Random, root: Any, holder: Any, key: Any, odd: Callable[..., Any]) -> None:
    entry, kind = holder[key], rng.randrange(8)
    if isinstance(entry, int | float) and not isinstance(entry, bool) and kind < 4:
        holder[key] = _nudged(rng, entry)
    elif kind < 5:
        holder[key] = odd(rng, root)
    elif kind == 5:
        del holder[key]
    elif isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(entry))
    elif kind == 6:
        holder[rng.choice([*map(str, ODD_WORDS), f"{key}2"])] = copy.deepcopy(entry)
    else:
        holder[rng.choice([w for w in ODD_WORDS if w != key])] = holder.pop(key)


def _nudged(rng: random.Random, number: int | float) -> Any:
    changes: list[Any] = [number + rng.choice((1, -1)), -number, number * 2]
    changes += [rng.choice(ODD_NUMBERS), rng.choice(ODD_NUMBERS)]
    changes += [bool(number), str(number)]
    if abs(number) < 1 << 1000:
        changes.append(float(number))
    if isinstance(number, int):
        changes.append(number ^ 1 << rng.randrange(64))
    return rng.choice(changes)
