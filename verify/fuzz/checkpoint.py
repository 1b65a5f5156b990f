"""The checkpoint's reader as a target of the fuzzer: the one that brings torch along."""

import dataclasses
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from model import recipe
from model.data import datasets
from model.data.datasets import Dataset
from model.data.scaling import Scaling
from model.format import Format
from model.frontends import load, torch_fx
from model.frontends.torch_fx import Chain
from model.qat import checkpoint
from model.qat.calibration import Calibration
from model.qat.quantize import QuantizedNetwork
from model.qat.training import Trained
from verify.fuzz.damage import damaged_bytes, damaged_value, odd_value
from verify.fuzz.targets import Target, numbers_are_same, same

RECIPE = Path("model/networks/iris.toml")


def _untrained(plan: recipe.Recipe, dataset: Dataset) -> Trained:
    module = load.make(plan, dataset)
    tuned = Chain(torch_fx.layers(module)).double()
    names = [(layer.name, layer.weights) for layer in torch_fx.layers(module)]
    formats = Calibration(
        Format(8, 4),
        {weights: Format(8, 7) for _, weights in names},
        {name: Format(8, 3) for name, _ in names},
    )
    scaling = Scaling((0.0,) * len(dataset.feature_names), (1.0,) * len(dataset.feature_names))
    return Trained(module, QuantizedNetwork(tuned, formats, plan.score), scaling)


def _odd_tensors(content: Any) -> list[torch.Tensor]:
    """Tensors that are none of this network's."""
    tensors = list(content["float"].values())
    nowhere = [tensor * float("nan") for tensor in tensors] + [tensor / 0 for tensor in tensors]
    other = [tensor.long() for tensor in tensors] + [tensor.half() for tensor in tensors]
    return [*tensors, *nowhere, *other, *(tensor[:1] for tensor in tensors)]


def _maker(plan: recipe.Recipe, dataset: Dataset) -> Callable[[random.Random], bytes]:
    buffer = io.BytesIO()
    checkpoint.save(_untrained(plan, dataset), plan, dataset, buffer)
    good = buffer.getvalue()
    content = torch.load(io.BytesIO(good), weights_only=True)
    tensors = _odd_tensors(content)

    def odd(rng: random.Random, root: Any) -> Any:
        return rng.choice(tensors).clone() if rng.random() < 0.6 else odd_value(rng, root)

    def make(rng: random.Random) -> bytes:
        if rng.random() < 0.3:
            return damaged_bytes(rng, good)
        damaged = io.BytesIO()
        torch.save(damaged_value(rng, content, odd), damaged)
        return damaged.getvalue()

    return make


def wrong_checkpoint(data: bytes, trained: Trained) -> str | None:
    """Complaint about a checkpoint that was accepted."""
    content = torch.load(io.BytesIO(data), weights_only=True)
    # A network without tables may leave out the formats in front of them.
    if not same(dataclasses.asdict(trained.quantized.formats), {"sums": {}} | content["formats"]):
        return "other formats were read from it"
    scaling, plain = trained.scaling, content["scaling"]
    if not numbers_are_same(None if scaling is None else dataclasses.asdict(scaling), plain):
        return "another scaling was read from it"
    for key, module in (("float", trained.module), ("fine_tuned", trained.quantized.module)):
        found = module.state_dict()
        if found.keys() != content[key].keys():
            return f"{key} has other parameters"
        for name, tensor in content[key].items():
            if tensor.dtype != found[name].dtype or not torch.equal(tensor, found[name]):
                return f"{key}.{name} was read as something else"
            if not torch.isfinite(tensor).all():
                return f"{key}.{name} is not finite"
    return None


def target() -> Target:
    """The reader of checkpoints of Iris."""
    plan, dataset = recipe.load(RECIPE), datasets.load("iris")
    return Target(
        "checkpoint",
        ".pt",
        _maker(plan, dataset),
        lambda path: checkpoint.load(plan, dataset, path),
        wrong_checkpoint,
    )
