"""Checks that a module computes what its chain of layers does: no hidden steps, equal outputs."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from model.frontends.torch_fx import Chain, FrontendError, Layer, ends_in_sigmoid

# Two ways to add float32 differ by this part of the largest output, at most.
TOLERANCE = 1e-4
MOST_SAMPLES = 256

REMEDIES: dict[type, str] = {
    prune.BasePruningMethod: "prune.remove({layer}, {parameter!r}) makes the pruning permanent",
    SpectralNorm: "torch.nn.utils.remove_spectral_norm({layer}, {parameter!r}) keeps"
    " the parameter as it is",
    WeightNorm: "torch.nn.utils.remove_weight_norm({layer}, {parameter!r}) keeps the"
    " parameter as it is",
}
# Modules of PyTorch around others, or instead of them, that hide what these compute.
WRAPPERS = {
    "ScriptModule": "is TorchScript: give the module as it was before torch.jit, or its ONNX file",
    "OptimizedModule": "is made by torch.compile: give the module that it was made from",
    "DataParallel": "spreads samples over devices: give what it holds, its attribute module",
    "DistributedDataParallel": "is one of several copies: give what it holds, its attribute module",
}
HOOKS = {
    "_forward_pre_hooks": "a forward pre-hook",
    "_forward_hooks": "a forward hook",
    "_backward_pre_hooks": "a backward pre-hook",
    "_backward_hooks": "a backward hook",
}


def refuse_hidden_steps(module: nn.Module) -> None:
    """Raise `FrontendError` on what acts outside ``forward``: hooks and computed parameters.

    None of it reaches the hardware. So it is with modules that hide their forward, and with
    parameters that have no shape yet. The message names the submodule and the remedy.
    """
    owner = type(module).__name__
    for path, part in module.named_modules():
        shown = path or "the module itself"
        for base in type(part).__mro__:
            if base.__module__.startswith("torch.") and base.__name__ in WRAPPERS:
                raise FrontendError(f"{owner}: {shown} {WRAPPERS[base.__name__]}")
        if any(map(is_lazy, part.parameters(recurse=False))):
            raise FrontendError(
                f"{owner}: {shown} ({type(part).__name__}) has parameters whose shape is not known "
                "yet: name the number of features that it takes, as nn.Linear does"
            )
        for name in getattr(part, "parametrizations", {}) if _is_parametrized(part) else ():
            raise FrontendError(
                f"{owner}: {name} of {shown} is parametrized, which is not supported: "
                f"parametrize.remove_parametrizations({shown}, {name!r}) keeps its present value"
            )
        for hook, kind in _hooks(part):
            raise FrontendError(f"{owner}: {shown} {_why(hook, kind, shown)}")
    for attribute, kind in HOOKS.items():
        if getattr(module_hooks, f"_global{attribute}", None):
            raise FrontendError(f"{kind} for all modules is registered, which is not supported")


def _is_parametrized(part: nn.Module) -> bool:
    return bool(parametrize.is_parametrized(part))


def _hooks(part: nn.Module) -> Iterator[tuple[object, str]]:
    for attribute, kind in HOOKS.items():
        for hook in getattr(part, attribute).values():
            yield hook, kind


def _why(hook: object, kind: str, layer: str) -> str:
    """Effect of a hook, and its remedy."""
    for method, remedy in REMEDIES.items():
        if isinstance(hook, method):
            parameter = getattr(hook, "_tensor_name", getattr(hook, "name", "weight"))
            name = type(hook).__name__
            words = remedy.format(layer=layer, parameter=parameter)
            return (
                f"has a {parameter} that {name} computes in a hook, which is not supported: {words}"
            )
    name = getattr(hook, "__qualname__", type(hook).__name__)
    return (
        f"has {kind} ({name}), which is not supported, since the hardware has only what forward "
        "computes: remove it with the handle that register_...hook returned"
    )


def require_equal(
    module: nn.Module,
    layers: list[Layer],
    features: NDArray[np.float64],
    inputs: NDArray[np.float64] | None = None,
) -> None:
    """Raise `FrontendError` unless a module's own outputs are those of its layers.

    ``features`` are real samples ``[samples, n_in]``, as the module takes them; ``inputs`` are the
    same as the first layer does, where they differ. Both compute in float32 and in evaluation;
    outputs may differ by `TOLERANCE` of the largest.
    """
    x = torch.tensor(features[:MOST_SAMPLES], dtype=torch.float32)
    training = module.training
    try:
        with torch.no_grad():
            found = module.eval()(x)
    except Exception as error:  # this runs the module's own code, which may raise anything
        raise FrontendError(
            f"{type(module).__name__} cannot be evaluated on samples of shape {tuple(x.shape)}: "
            f"{' '.join(str(error).split())}"
        ) from error
    finally:
        module.train(training)
    if isinstance(found, Tensor) and not torch.isfinite(found).all():
        raise FrontendError(
            f"{type(module).__name__}: its outputs on the samples must be finite: check its "
            "parameters and the scaling of the features"
        )
    given = x if inputs is None else torch.tensor(inputs[:MOST_SAMPLES], dtype=torch.float32)
    with torch.no_grad():
        logits = Chain(layers).float().eval()(given)
    candidates = [logits, logits.softmax(dim=1), logits.log_softmax(dim=1)]
    if logits.shape[1] == 1:
        candidates += [logits.sigmoid(), logits[:, 0], logits[:, 0].sigmoid()]
    elif ends_in_sigmoid(module):
        candidates.append(logits.sigmoid())
    if isinstance(found, Tensor) and any(_alike(found, wanted) for wanted in candidates):
        return
    if isinstance(found, Tensor) and _are_winners(found, logits):
        return
    raise FrontendError(
        f"{type(module).__name__}: its own outputs differ from those of its layers "
        f"{', '.join(layer.name for layer in layers)}{_by_how_much(found, candidates)}: something "
        "acts beside forward, such as a replaced method or state that changes between calls"
    )


def require_same_codes(
    module: nn.Module,
    values: Mapping[str, tuple[Tensor, int]],
    last: Layer,
    logits: Tensor,
    exact: bool,
) -> None:
    """Raise `FrontendError` unless a quantized network's logits are those of its module.

    ``values`` are the network's tensors with their fracs. Where the module leaves its last sums as
    they are, they may differ by the rounding of the biases alone.
    """
    sums, frac = values[f"{last.name}.acc"]
    found, *_ = values[last.key]
    compared = found if exact else last.activate(sums)
    allowed = 0.0 if exact else 2.0**-frac
    most = float((compared.detach() - logits).abs().max())
    if not most <= allowed:
        raise FrontendError(
            f"{type(module).__name__}: the sums of {last.name} differ by {most:.3g} from those of "
            "the quantized network that it was read from"
        )


def _alike(found: Tensor, wanted: Tensor) -> bool:
    if found.shape != wanted.shape:
        return False
    allowed = TOLERANCE * max(1.0, float(wanted.abs().max()))
    return bool(((found - wanted).abs() <= allowed).all())


def _are_winners(found: Tensor, logits: Tensor) -> bool:
    """Return whether these are classes, whose logits are the largest of their samples."""
    integers = found.dtype in (torch.int64, torch.int32) and found.shape == logits.shape[:1]
    if not integers or not ((found >= 0) & (found < logits.shape[1])).all():
        return False
    own = logits.gather(1, found.long()[:, None])[:, 0]
    return _alike(own, logits.amax(dim=1))


def _by_how_much(found: object, candidates: list[Tensor]) -> str:
    same = [wanted for wanted in candidates if getattr(found, "shape", None) == wanted.shape]
    if not same or not isinstance(found, Tensor):
        return ""
    return f" by {min(float((found - wanted).abs().max()) for wanted in same):.3g}"
