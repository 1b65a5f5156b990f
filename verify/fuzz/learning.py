"""The reader of runs that learn as a target of the fuzzer: files signed again after the damage."""

import dataclasses
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from model.learning import learner
from model.learning.backprop import Plan
from model.learning.learner import Learner, State
from verify.fuzz.damage import damaged_bytes, damaged_text, damaged_value
from verify.fuzz.network import JSON_TOKENS, signed, signed_content
from verify.fuzz.targets import Target, same

COUNTERS = ("lfsr", "word", "epoch", "position")
# A shared set, a single layer, either score and divider, no drop and as many as there may be.
PLANS = (
    Plan((3, 5, 5, 2), (0, 1, 2), (True, False, False), (0, 1, 0), epochs=3, samples=9, eta=2),
    Plan((3, 4, 4, 4, 2), (0, 1, 1, 2), (True, False, True, False), (0, 0, 0), 4, 7, drops=()),
    Plan((2, 5), (0,), (False,), (1,), epochs=4, samples=8, score="taylor2", divider="restoring"),
    Plan((1, 2), (0,), (False,), (2,), epochs=4, samples=2, drops=(10, 20, 30, 40)),
)


def _content(plan: Plan, state: State) -> dict[str, Any]:
    """The content that the file of a run must have, without its digest."""
    return {
        "format": "verbatim-learning",
        "version": 1,
        "plan": dataclasses.asdict(plan),
        "masters": [rows.tolist() for rows in state.masters],
        **{key: getattr(state, key) for key in COUNTERS},
    }


def _written(plan: Plan, state: State) -> bytes:
    """The file of a run, as its writer leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        learner.save(plan, state, path)
        return path.read_bytes()


def _maker() -> Callable[[random.Random], bytes]:
    seeds = []
    for seed, plan in enumerate(PLANS, start=1):
        run, rng = Learner.begin(plan, seed), np.random.default_rng(seed)
        for _ in range(1 + plan.samples // 2):
            x = rng.integers(-128, 128, plan.sizes[0])
            run.learn(x, int(rng.integers(plan.sizes[-1])))
        seeds.append(_written(plan, run.state))
    contents = [json.loads(data) for data in seeds]

    def make(rng: random.Random) -> bytes:
        number, kind = rng.randrange(len(seeds)), rng.random()
        if kind < 0.5:
            content = dict(contents[number])
            # Masters are most of a file, and one is like another.
            part = rng.choice((*COUNTERS, "plan", "plan", "masters", None))
            content.pop("sha256")
            damaged = damaged_value(rng, {part: content[part]} if part else content)
            rest = {key: value for key, value in content.items() if key != part}
            both = part and isinstance(damaged, dict)
            return signed(rest | damaged if both else damaged).encode("utf-8", "surrogatepass")
        if kind < 0.85:
            return damaged_text(rng, seeds[number].decode(), JSON_TOKENS)
        return damaged_bytes(rng, seeds[number])

    return make


def wrong_run(data: bytes, loaded: tuple[Plan, State]) -> str | None:
    """Complaint about a run's file that was accepted."""
    plan, state = loaded
    try:
        content = signed_content(data)
    except ValueError as error:
        return str(error)
    read = _content(plan, state)
    # What a plan leaves out stands at a default; so does a null of its logits' fraction bits.
    optional = {"score", "divider", "eta", "drops", "input_frac", "hidden_frac", "logit_frac"}
    if content["plan"].get("logit_frac") is None:
        content["plan"].pop("logit_frac", None)
    missing = read["plan"].keys() - content["plan"].keys()
    if missing - optional:
        return f"{', '.join(sorted(missing))} is missing in its plan"
    for key in missing:
        del read["plan"][key]
    if not same(read, content):
        return "something else was read from it"
    return _wrong_state(plan, content)


def _wrong_state(plan: Plan, content: dict[str, Any]) -> str | None:
    """Complaint about masters and counters that no core can hold."""
    shapes = [(plan.sizes[layer + 1], plan.sizes[layer]) for layer in range(len(plan.sets))]
    firsts = dict(sorted(zip(reversed(plan.sets), reversed(shapes), strict=True)))
    if len(firsts) != len(content["masters"]):
        return "it has not the masters of each weight set"
    for rows, (n_out, n_in) in zip(content["masters"], firsts.values(), strict=True):
        if len(rows) != n_out or any(len(row) != n_in + 1 for row in rows):
            return "a row of masters is too long or too short"
        if not all(type(m) is int and -(2**15) <= m < 2**15 for row in rows for m in row):
            return "a master is no integer of 16 bits"
    lows = dict.fromkeys(("epoch", "position"), 0)
    for key in COUNTERS:
        most = plan.samples - 1 if key == "position" else 2**16 - 1
        if type(content[key]) is not int or not lows.get(key, 1) <= content[key] <= most:
            return f"{key} is {content[key]!r}"
    return None


def target() -> Target:
    """The reader of runs."""
    return Target("learning", ".json", _maker(), learner.load, wrong_run)
