"""Parameters that were trained elsewhere: a state_dict in a file, of which nothing is executed."""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from common.errors import VerbatimError, reason

State = dict[str, Tensor]
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SAVE_IT = "expected its state_dict: torch.save(model.state_dict(), ...)"
# What a wrapper puts before each name, and what prune keeps in place of a parameter.
MASKED, MASK = "_orig", "_mask"
MADE_BY_HOOKS = {
    "_g": "torch.nn.utils.remove_weight_norm",
    "_u": "torch.nn.utils.remove_spectral_norm",
    ".original": "torch.nn.utils.parametrize.remove_parametrizations",
    ".original0": "torch.nn.utils.parametrize.remove_parametrizations",
}
# What libraries of quantization keep beside the parameters: Brevitas, and PyTorch's own.
OF_QUANTIZERS = re.compile(r"(^|\.)(\w+_quant|\w*fake_quant\w*|activation_post_process\w*)\.")
MOST_KEYS = 6


class ModuleError(VerbatimError):
    """A module that cannot be made: the message names it, or the file of its parameters."""


def load_parameters(module: nn.Module, path: Path) -> None:
    """Fill a module from the state_dict of a `torch.save` or safetensors file.

    A state_dict within a checkpoint of a trainer is taken where it is the only one, a prefix that a
    wrapper put before each name is dropped, so is what quantizers keep beside the parameters, and a
    pruned parameter is multiplied with its mask.
    Raises `ModuleError` where the file cannot be read or its parameters are another module's.
    """
    content = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    own = module.state_dict()
    state = _without_masks(_without_prefix(_only_state(path, content), own))
    state = {name: t for name, t in state.items() if name in own or not OF_QUANTIZERS.search(name)}
    _require_keys(path, module, state, own)
    for name, tensor in state.items():
        _require_fit(path, name, tensor, own[name])
    module.load_state_dict(state)


def _safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except OSError as error:
        raise ModuleError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # safetensors has errors of its own for each damage
        raise ModuleError(f"{path}: cannot be read: is truncated or no safetensors") from error


def _torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise ModuleError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # torch raises whatever the damaged bytes lead it to
        raise ModuleError(f"{path}: cannot be read: {_why(path, str(error))}") from error


def _why(path: Path, complaint: str) -> str:
    """Description of a file that holds no state_dict."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            places = {name.partition("/")[2] for name in archive.namelist()}
        if any(place.startswith("code/") for place in places):
            return f"holds TorchScript, {SAVE_IT}"
        if "archive_format" in places or any(p.startswith("models/") for p in places):
            return f"holds an exported program, {SAVE_IT}"
    try:
        with warnings.catch_warnings(action="ignore"):
            found = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # as above
        found = re.findall(r"GLOBAL `?([\w.]+)", complaint)
    if found:
        objects = ", ".join(sorted(found)[:MOST_KEYS])
        whole = any(name.startswith("torch.nn.modules.") for name in found)
        what = "a whole module" if whole else "Python objects"
        return f"holds {what} ({objects}), whose code would have to be executed; {SAVE_IT}"
    return f"is truncated, damaged or no file of torch.save, {SAVE_IT}"


def _is_state(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())
    )


def _only_state(path: Path, content: Any) -> State:
    """The state_dict that a file is, or the only one that it holds under a key."""
    if _is_state(content):
        return dict(content)
    if not isinstance(content, Mapping):
        raise ModuleError(f"{path}: is no state_dict: holds a {type(content).__name__}, {SAVE_IT}")
    if not content:
        raise ModuleError(f"{path}: is empty: holds no parameter, {SAVE_IT}")
    states = {str(key): value for key, value in content.items() if _is_state(value)}
    if len(states) == 1:
        (state,) = states.values()
        return dict(state)
    keys = ", ".join(map(str, list(content)[:MOST_KEYS]))
    found = f"state_dicts under {', '.join(states)}" if states else "no state_dict"
    raise ModuleError(f"{path}: is no state_dict: holds {keys}, with {found}; {SAVE_IT}")


def _without_prefix(state: State, own: Mapping[str, Tensor]) -> State:
    """Names without what DataParallel, torch.compile or a trainer's module put before each."""
    first = next(iter(own), "")
    for key in state:
        for ending in (first, first + MASKED):
            prefix = key.removesuffix(ending)
            if (
                ending
                and prefix != key
                and prefix.endswith(".")
                and all(name.startswith(prefix) for name in state)
            ):
                return {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _without_masks(state: State) -> State:
    """Pruned parameters as they act: ``weight_orig * weight_mask``."""
    found = dict(state)
    for name in state:
        bare = name.removesuffix(MASKED)
        mask = state.get(bare + MASK)
        if bare != name and mask is not None and mask.shape == state[name].shape:
            found[bare] = found.pop(name) * found.pop(bare + MASK)
    return found


def _require_keys(path: Path, module: nn.Module, state: State, own: Mapping[str, Tensor]) -> None:
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    if not missing and not unknown:
        return
    for name in missing:
        for ending, remedy in MADE_BY_HOOKS.items():
            made = name.replace(".weight", ".parametrizations.weight") + ending
            if name + ending in state or made in state:
                raise ModuleError(
                    f"{path}: its {name} is computed from other parameters: save it after {remedy}"
                )
    words = [
        f"{what} {', '.join(names[:MOST_KEYS])}{', ...' if len(names) > MOST_KEYS else ''}"
        for what, names in (("lacks", missing), ("has unknown", unknown))
        if names
    ]
    raise ModuleError(f"{path}: does not fit {type(module).__name__}: {' and '.join(words)}")


def _require_fit(path: Path, name: str, tensor: Tensor, own: Tensor) -> None:
    """Refuse a tensor of another shape or kind, and numbers that are not finite."""
    kinds = FLOATS if own.dtype.is_floating_point else (own.dtype,)
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    if not plain or tensor.dtype not in kinds:
        raise ModuleError(
            f"{path}: {name} must be {'floats' if kinds is FLOATS else own.dtype}, got "
            f"{tensor.dtype if plain else f'a {tensor.layout} tensor'}"
        )
    if tensor.shape != own.shape:
        raise ModuleError(
            f"{path}: {name} must have shape {list(own.shape)}, got {list(tensor.shape)}"
        )
    bad = torch.nonzero(~torch.isfinite(tensor.to(own.dtype)))
    if len(bad):
        place = bad[0].tolist()
        raise ModuleError(
            f"{path}: {name}{place} is {tensor[tuple(place)].item()}, expected a finite {own.dtype}"
        )
