"""Parameters of every form that trainers leave are taken, or refused in one clear sentence."""

import re
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

from model.frontends.state import ModuleError, load_parameters


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(OrderedDict(fc1=nn.Linear(4, 5), norm=nn.BatchNorm1d(5)))
        self.fc2 = nn.Linear(5, 3)


@pytest.fixture
def trained():
    torch.manual_seed(1)
    return Net()


def same(net, wanted, tolerance=0.0):
    pairs = zip(net.state_dict().values(), wanted.state_dict().values(), strict=True)
    return all(torch.allclose(a, b, rtol=tolerance, atol=tolerance) for a, b in pairs)


def with_prefix(*prefixes):
    prefix = "".join(prefixes)
    return lambda net: {prefix + key: value for key, value in net.state_dict().items()}


SERVED = {
    "state": lambda net: net.state_dict(),
    "parallel": with_prefix("module."),
    "compiled": with_prefix("_orig_mod."),
    "both": with_prefix("module.", "_orig_mod.", "model."),
    "lightning": lambda net: {
        "epoch": 3,
        "state_dict": with_prefix("net.")(net),
        "optimizer_states": [{"state": {}, "param_groups": []}],
        "hyper_parameters": {"width": 5},
    },
    "tutorial": lambda net: {
        "epoch": 3,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": torch.optim.Adam(net.parameters()).state_dict(),
        "loss": torch.tensor(0.5),
    },
}


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("file", ["a.pt", "a.pth", "a.ckpt", "a.bin", "a.tar"])
def test_every_form_of_a_state_dict_is_taken(tmp_path, trained, name, file):
    torch.save(SERVED[name](trained), tmp_path / file)
    net = Net()
    load_parameters(net, tmp_path / file)
    assert same(net, trained)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("legacy", [True, False])
def test_every_kind_of_float_and_the_former_format_are_taken(tmp_path, trained, kind, legacy):
    own = trained.state_dict()
    content = {key: v.to(kind) if v.is_floating_point() else v for key, v in own.items()}
    torch.save(content, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
    net = Net()
    load_parameters(net, tmp_path / "a.pt")
    assert same(net, trained, 1e-2)


def test_pruned_parameters_are_multiplied_with_their_masks(tmp_path, trained):
    prune.random_unstructured(trained.fc1, "weight", 0.5)
    prune.random_unstructured(trained.fc2, "bias", 1)
    torch.save(trained.state_dict(), tmp_path / "a.pt")
    prune.remove(trained.fc1, "weight")
    prune.remove(trained.fc2, "bias")
    net = Net()
    load_parameters(net, tmp_path / "a.pt")
    assert (net.fc1.weight == trained.fc1.weight).all() and (net.fc1.weight == 0).sum() == 10
    assert (net.fc2.bias == trained.fc2.bias).all() and (net.fc2.bias == 0).sum() == 1


def changed(key, value):
    return lambda net: {**net.state_dict(), key: value}


def without(key):
    return lambda net: {k: v for k, v in net.state_dict().items() if k != key}


def renamed(old, *new):
    def rename(net):
        content = net.state_dict()
        value = content.pop(old)
        return {**content, **dict.fromkeys(new, value)}

    return rename


NAN = torch.tensor([0.0, torch.nan, 0.0])
REFUSED = {
    "nan": (changed("fc2.bias", NAN), r"fc2.bias\[1\] is nan, expected a finite torch.float32"),
    "inf": (changed("fc2.bias", NAN.log()), r"fc2.bias\[0\] is -inf, expected a finite"),
    "huge": (
        changed("fc2.bias", torch.tensor([1e300] * 3, dtype=torch.float64)),
        r"fc2.bias\[0\] is 1e\+300",
    ),
    "statistics": (
        changed("norm.running_var", torch.full((5,), torch.nan)),
        "var.0. is nan",
    ),
    "shape": (changed("fc2.bias", torch.zeros(4)), r"fc2.bias must have shape \[3\], got \[4\]"),
    "complex": (changed("fc2.bias", NAN.cfloat()), "fc2.bias must be floats, got torch.complex64"),
    "codes": (
        changed("fc2.bias", torch.zeros(3, dtype=torch.int8)),
        "be floats, got torch.int8",
    ),
    "bool": (changed("fc2.bias", NAN > 0), "fc2.bias must be floats, got torch.bool"),
    "sparse": (
        changed("fc2.bias", torch.zeros(3).to_sparse()),
        "be floats, got a torch.sparse",
    ),
    "meta": (changed("fc2.bias", torch.zeros(3, device="meta")), "fc2.bias must be floats, got"),
    "missing": (without("fc1.weight"), "does not fit Net: lacks fc1.weight$"),
    "unknown": (changed("fc3.bias", NAN), "does not fit Net: has unknown fc3.bias$"),
    "other": (
        lambda net: nn.Linear(1, 1).state_dict(),
        "lacks fc1.weight, .* and has unknown w",
    ),
    "empty": (lambda net: {}, "is empty: holds no parameter"),
    "list": (
        lambda net: [1, 2],
        "is no state_dict: holds a list, expected its state_dict: torch",
    ),
    "tensor": (lambda net: NAN, "is no state_dict: holds a Tensor"),
    "numbers": (lambda net: {"epoch": 3}, "holds epoch, with no state_dict"),
    "two": (
        lambda net: {"model": net.state_dict(), "ema": net.state_dict()},
        "holds model, ema, with state_dicts under model, ema",
    ),
    "whole": (
        lambda net: net,
        r"holds a whole module \(.*Net, .*\), whose code .*; expected",
    ),
    "numpy": (
        lambda net: {key: value.numpy() for key, value in net.state_dict().items()},
        r"holds Python objects \(numpy.*\), whose code would have to be executed; expected its",
    ),
    "weight-norm": (
        renamed("fc1.weight", "fc1.weight_g", "fc1.weight_v"),
        "its fc1.weight is computed .*: save it after torch.nn.utils.remove_weight_norm",
    ),
    "spectral-norm": (
        renamed("fc1.weight", "fc1.weight_orig", "fc1.weight_u", "fc1.weight_v"),
        "its fc1.weight is computed .*: save it after torch.nn.utils.remove_spectral_norm",
    ),
    "parametrized": (
        renamed("fc1.weight", "fc1.parametrizations.weight.original"),
        "its fc1.weight is computed .*: save it after .*remove_parametrizations",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_state_dict_of_the_module_is_refused_in_one_sentence(tmp_path, trained, name):
    content, words = REFUSED[name]
    torch.save(content(trained), tmp_path / "a.pt")
    with pytest.raises(ModuleError, match=rf"a\.pt: .*{words}") as refused:
        load_parameters(Net(), tmp_path / "a.pt")
    require_plain(str(refused.value))


def require_plain(sentence):
    """No escape codes, one line, nothing twice, none of PyTorch's advice on options."""
    assert sentence.isprintable() and "x1b" not in sentence and "weights_only" not in sentence
    parts = [part for part in re.split(r"[:;] ", sentence) if len(part) > 12]
    assert len(parts) == len(set(parts))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_programs_and_damaged_files_are_named_as_what_they_are(tmp_path, trained):
    path = tmp_path / "a.pt"
    cases = {}
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(2, 2))), path)
    cases["holds TorchScript, expected its state_dict"] = path.read_bytes()
    torch.save(trained.state_dict(), path)
    good = path.read_bytes()
    damaged = "is truncated, damaged or no file of torch.save"
    for data in (good[:-100], good[: len(good) // 2], b"", b"text", b"\0" * 100):
        cases[damaged] = data
        path.write_bytes(data)
        with pytest.raises(ModuleError, match=damaged) as refused:
            load_parameters(Net(), path)
        require_plain(str(refused.value))
    for words, data in cases.items():
        path.write_bytes(data)
        with pytest.raises(ModuleError, match=words):
            load_parameters(Net(), path)
    with pytest.raises(ModuleError, match=r"b\.pt: cannot be read: no such file or directory$"):
        load_parameters(Net(), tmp_path / "b.pt")
    (tmp_path / "c.pt").mkdir()
    with pytest.raises(ModuleError, match=r"c\.pt: cannot be read: is a directory$"):
        load_parameters(Net(), tmp_path / "c.pt")


def test_safetensors_are_checked_alike(tmp_path, trained):
    path = tmp_path / "a.safetensors"
    save_file(with_prefix("module.")(trained), path)
    net = Net()
    load_parameters(net, path)
    assert same(net, trained)
    save_file(changed("fc2.bias", NAN)(trained), path)
    with pytest.raises(ModuleError, match=r"a\.safetensors: fc2\.bias\[1\] is nan"):
        load_parameters(Net(), path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ModuleError, match=r"is truncated or no safetensors$"):
        load_parameters(Net(), path)


def test_a_refused_file_leaves_the_module_alone(tmp_path, trained):
    torch.save(changed("fc2.bias", NAN)(trained), tmp_path / "a.pt")
    net, before = Net(), Net()
    before.load_state_dict(net.state_dict())
    with pytest.raises(ModuleError):
        load_parameters(net, tmp_path / "a.pt")
    assert same(net, before)


@pytest.mark.parametrize(
    "name",
    [
        "fc1.weight_quant.tensor_quant.scaling_impl.value",
        "act1.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value",
        "input_quant.tensor_quant.scaling_impl.running_stats",
        "fc1.weight_fake_quant.scale",
        "fc2.activation_post_process.zero_point",
    ],
)
def test_what_quantizers_keep_beside_the_parameters_is_left_out(tmp_path, trained, name):
    own, scale = trained.state_dict(), torch.tensor(0.1)
    torch.save({**own, name: scale}, tmp_path / "a.pt")
    net = Net()
    load_parameters(net, tmp_path / "a.pt")
    assert same(net, trained)
    torch.save({**own, name.replace("_", ""): scale}, tmp_path / "b.pt")
    with pytest.raises(ModuleError, match="has unknown"):
        load_parameters(net, tmp_path / "b.pt")
