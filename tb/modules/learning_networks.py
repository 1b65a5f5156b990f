"""The networks on which the core that learns is run: small ones at random, datasets, a hard one."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.files import whole_file
from model.format import Int
from model.images import MEM_DIR
from model.learning.backprop import Plan
from model.learning.core import Core
from model.learning.plans import PLANS, samples_of, with_score
from tb.modules.case import Parameters, Prepared

# Small, but with each hazard: a shared set, groups that are added up sooner than they drain, deltas
# used as soon as they are there, masters that saturate, rates and epochs that end.
HARD = Plan(
    (3, 5, 5, 5, 2),
    (0, 1, 1, 2),
    (True, False, True, False),
    (0, 0, 0),
    epochs=3,
    samples=5,
    eta=2,
    drops=(30, 60),
)


def random_case(seed: int) -> tuple[Plan, int]:
    """A small plan of any shape, and lanes; deltas and activations saturate in some."""
    rng = np.random.default_rng(seed)
    layers = int(rng.integers(1, 5))
    sizes = [int(rng.integers(1, 9)) for _ in range(layers)] + [int(rng.integers(2, 6))]
    sets: list[int] = []
    for layer in range(layers):
        shape = tuple(sizes[layer : layer + 2])
        same = [sets[k] for k in range(layer) if tuple(sizes[k : k + 2]) == shape]
        shares = bool(same) and rng.random() < 0.7
        sets.append(same[0] if shares else len(set(sets)))
    relu = (*(bool(rng.random() < 0.6) for _ in range(layers - 1)), False)
    plan = Plan(
        sizes=tuple(sizes),
        sets=tuple(sets),
        relu=relu,
        ranges=tuple(int(rng.integers(0, 3)) for _ in set(sets)),
        epochs=4,
        samples=int(rng.integers(1, 14)),
        score=str(rng.choice(["exp", "taylor2"])),
        divider=str(rng.choice(["reciprocal", "restoring"])),
        eta=int(rng.integers(2, 6)),
        drops=tuple(int(drop) for drop in rng.integers(0, 101, rng.integers(1, 5))),
    )
    return plan, int(rng.integers(1, 11))


def random_samples(plan: Plan, seed: int) -> tuple[Int, Int]:
    """Codes over the whole range, and labels."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (plan.samples, plan.sizes[0]))
    return x, rng.integers(0, plan.sizes[-1], plan.samples)


@dataclass(frozen=True, eq=False)
class Learning:
    """A core, what gives its samples, and how many of them are learned from which seed.

    Codes and labels are asked for where they are written: a simulation, which knows each of these
    by name, needs none.
    """

    name: str
    core: Core
    samples: Callable[[], tuple[Int, Int]]
    count: int = 12
    seed: int = 1

    @property
    def shown(self) -> Parameters:
        """Number of layers and lanes."""
        return {"N_LAYERS": self.core.plan.layers, "LANES": self.core.lanes}

    def prepare(self, folder: Path) -> Prepared:
        """Write tables and samples; return the parameters, and plan and samples for the bench."""
        self.core.write_images(folder / MEM_DIR)
        data = folder / "samples.npz"
        with whole_file(data) as temporary, temporary.open("wb") as stream:
            x, labels = self.samples()
            np.savez(stream, x=x, labels=labels)
        options = {
            "plan": dataclasses.asdict(self.core.plan),
            "lanes": self.core.lanes,
            "data": str(data),
            "count": self.count,
            "seed": self.seed,
        }
        return self.core.parameters(str(folder / MEM_DIR)), options


def of_dataset(name: str, lanes: int, score: str = "exp", count: int = 12) -> Learning:
    """A core that learns one of the datasets."""
    core = Core(with_score(PLANS[name], score), lanes)
    samples = functools.partial(samples_of, name)
    return Learning(f"{name}-{lanes}-{score}", core, samples, count=count)


def of_random(seed: int, count: int = 20) -> Learning:
    """A core at random."""
    plan, lanes = random_case(seed)
    samples = functools.partial(random_samples, plan, seed)
    return Learning(f"random-{seed}", Core(plan, lanes), samples, count=count, seed=seed)


def of_hard(score: str = "exp", lanes: int = 4, count: int = 20) -> Learning:
    """The core on which most mutants are judged."""
    plan = with_score(HARD, score)
    samples = functools.partial(random_samples, plan, 1)
    return Learning(f"hard-{lanes}-{score}", Core(plan, lanes), samples, count=count)
