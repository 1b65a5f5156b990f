"""What a module does beside its ``forward`` never reaches the hardware: it is refused by name."""

import functools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_hooks
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from model.frontends import checks, torch_fx
from model.frontends.checks import refuse_hidden_steps, require_equal
from model.frontends.torch_fx import FrontendError

X = np.random.default_rng(0).normal(size=(40, 4))


class Net(nn.Module):
    def __init__(self, head=None):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(4, 12), nn.Linear(12, 3), head

    def forward(self, x):
        x = self.fc2(torch.relu(self.fc1(x)))
        return x if self.head is None else self.head(x)


class Gain(nn.Module):
    def forward(self, weight):
        return 2 * weight


def added(kind):
    def add(net):
        getattr(net.fc1, f"register_{kind}")(lambda *arguments: None)

    return add


HIDDEN = {
    "pre-hook": (added("forward_pre_hook"), r"fc1 has a forward pre-hook \(.*lambda.*hardware has"),
    "hook": (added("forward_hook"), r"fc1 has a forward hook \("),
    "backward-pre-hook": (added("full_backward_pre_hook"), "fc1 has a backward pre-hook"),
    "backward-hook": (added("full_backward_hook"), "fc1 has a backward hook"),
    "hook-of-all": (
        lambda net: net.register_forward_hook(lambda module, x, y: y.flip(1)),
        "the module itself has a forward hook",
    ),
    "random-pruning": (
        lambda net: prune.random_unstructured(net.fc1, "weight", 0.5),
        r"fc1 has a weight that RandomUnstructured computes .* prune.remove\(fc1, 'weight'\)",
    ),
    "pruned-bias": (
        lambda net: prune.l1_unstructured(net.fc2, "bias", 0.5),
        r"fc2 has a bias that L1Unstructured .* prune.remove\(fc2, 'bias'\)",
    ),
    "pruned-twice": (
        lambda net: [prune.l1_unstructured(net.fc2, "weight", 0.2) for _ in range(2)],
        r"fc2 has a weight that PruningContainer .* prune.remove\(fc2, 'weight'\)",
    ),
    "spectral-norm": (
        lambda net: spectral_norm(net.fc1),
        r"fc1 has a weight that SpectralNorm .*remove_spectral_norm\(fc1, 'weight'\)",
    ),
    "weight-norm": (
        lambda net: weight_norm(net.fc1),
        r"fc1 has a weight that WeightNorm .*remove_weight_norm\(fc1, 'weight'\)",
    ),
    "new-weight-norm": (
        lambda net: parametrizations.weight_norm(net.fc1),
        r"weight of fc1 is parametrized.*remove_parametrizations\(fc1, 'weight'\)",
    ),
    "new-spectral-norm": (
        lambda net: parametrizations.spectral_norm(net.fc2),
        r"weight of fc2 is parametrized.*remove_parametrizations\(fc2, 'weight'\)",
    ),
    "own-parametrization": (
        lambda net: parametrize.register_parametrization(net.fc1, "bias", Gain()),
        r"bias of fc1 is parametrized.*remove_parametrizations\(fc1, 'bias'\)",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_hidden_step_is_refused_by_name_and_remedy(name):
    hide, words = HIDDEN[name]
    net = Net()
    refuse_hidden_steps(net)
    hide(net)
    with pytest.raises(FrontendError, match=f"Net: {words}"):
        refuse_hidden_steps(net)


@pytest.mark.parametrize(
    ("wrap", "words"),
    [
        (torch.jit.script, "is TorchScript: give the module as it was before torch.jit"),
        (
            lambda net: torch.jit.trace(net, torch.zeros(1, 4)),
            "is TorchScript: give the module as it was before torch.jit",
        ),
        (torch.compile, "is made by torch.compile: give the module that it was made from"),
        (nn.DataParallel, "give what it holds, its attribute module"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("outer", [nn.Sequential, lambda net: net], ids=["part", "whole"])
def test_module_that_hides_its_forward_is_refused_with_a_remedy(wrap, words, outer):
    with pytest.raises(FrontendError, match=words):
        refuse_hidden_steps(outer(wrap(nn.Sequential(nn.Linear(4, 3)))))


def test_parameters_without_a_shape_are_refused():
    net = nn.Sequential(nn.LazyLinear(3))
    with pytest.raises(FrontendError, match=r"0 \(LazyLinear\) has parameters whose shape is not"):
        refuse_hidden_steps(net)
    net(torch.zeros(1, 4))
    refuse_hidden_steps(net)


def test_removed_step_is_no_longer_refused():
    net = Net()
    prune.random_unstructured(net.fc1, "weight", 0.5)
    prune.remove(net.fc1, "weight")
    net.fc2.register_forward_hook(lambda *arguments: None).remove()
    refuse_hidden_steps(net)


def test_hook_for_all_modules_is_refused():
    handle = torch_hooks.register_module_forward_hook(lambda module, x, y: None)
    try:
        with pytest.raises(FrontendError, match="a forward hook for all modules is registered"):
            refuse_hidden_steps(Net())
    finally:
        handle.remove()
    refuse_hidden_steps(Net())


# What no name gives away is seen in the numbers


def replaced_forward(net):
    forward = net.forward
    net.forward = lambda x: forward(x).flip(1)


def replaced_layer(net):
    net.fc1.forward = functools.partial(torch.nn.functional.linear, weight=net.fc1.weight * 1.5)


class Called(Net):
    def __call__(self, x):
        return super().__call__(x) + 1


class Counting(Net):
    calls = 0

    def forward(self, x):
        type(self).calls += 1
        return super().forward(x) if type(self).calls == 1 else super().forward(-x)


@pytest.mark.parametrize("change", [replaced_forward, replaced_layer])
def test_replaced_method_is_seen_in_the_outputs(change):
    net = Net()
    require_equal(net, torch_fx.layers(net), X)
    change(net)
    with pytest.raises(FrontendError, match=r"its own outputs differ .* fc1, fc2 by \d"):
        require_equal(net, torch_fx.layers(net), X)


@pytest.mark.parametrize("kind", [Called, Counting])
def test_step_outside_forward_and_state_between_calls_are_seen(kind):
    net = kind()
    with pytest.raises(FrontendError, match="its own outputs differ from those of its layers"):
        require_equal(net, torch_fx.layers(net), X)


@pytest.mark.parametrize("head", [None, nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.Identity()])
def test_module_equals_its_layers_with_any_end_and_keeps_its_mode(head):
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3)
    nn.init.uniform_(norm.running_var, 0.01, 2)
    for net in (Net(head), nn.Sequential(nn.Linear(4, 3), norm, nn.Dropout())):
        for training in (True, False):
            require_equal(net.train(training), torch_fx.layers(net), X * 100)
            assert net.training is training


def test_change_of_the_stated_tolerance_is_seen_and_less_is_not():
    torch.manual_seed(0)
    net, other = Net(), Net()
    other.load_state_dict(net.state_dict())
    for factor, seen in ((1 + checks.TOLERANCE / 20, False), (1 + 20 * checks.TOLERANCE, True)):
        with torch.no_grad():
            other.fc2.weight.copy_(net.fc2.weight * factor)
            other.fc2.bias.copy_(net.fc2.bias * factor)
        if seen:
            with pytest.raises(FrontendError, match="outputs differ"):
                require_equal(net, torch_fx.layers(other), X * 100)
        else:
            require_equal(net, torch_fx.layers(other), X * 100)


def test_outputs_that_are_not_finite_and_samples_it_does_not_take_are_said():
    net = Net()
    with torch.no_grad():
        net.fc1.weight[0, 0] = torch.nan
    with pytest.raises(FrontendError, match="its outputs on the samples must be finite"):
        require_equal(net, torch_fx.layers(net), X)
    with pytest.raises(FrontendError, match=r"cannot be evaluated on samples of shape \(40, 3\)"):
        require_equal(net, torch_fx.layers(net), X[:, :3])


# Subclasses of layers, and how many layers there may be


class QuantLinear(nn.Linear):
    """As quantization libraries write it: tracing its forward leads nowhere."""

    def forward(self, x):
        if float(x.abs().max()) > 0:
            return super().forward(x)
        return x


class QuantReLU(nn.Module):
    def forward(self, x):
        return torch.relu(x) if x.sum() > 0 else x


class Renamed(nn.Linear):
    """The same layer under another name."""


@pytest.mark.parametrize("kind", [QuantLinear, Renamed])
def test_subclass_of_a_layer_is_refused_by_name_and_line(kind):
    class Quantized(Net):
        def __init__(self):
            super().__init__()
            self.fc1 = kind(4, 12)

    line = Net.forward.__code__.co_firstlineno + 1
    words = rf"'fc1' \({kind.__name__}\(in_features=4.*, test_hidden_steps.py line {line}"
    with pytest.raises(FrontendError, match=words):
        torch_fx.layers(Quantized())


def test_part_that_cannot_be_traced_is_named_with_the_line():
    line = QuantReLU.forward.__code__.co_firstlineno + 1
    words = rf"cannot be traced: its part 1 \(QuantReLU\(\)\): .*_steps\.py line {line}: "
    with pytest.raises(FrontendError, match=words) as refused:
        torch_fx.layers(nn.Sequential(nn.Linear(4, 3), QuantReLU()))
    assert str(refused.value).count("supported are") == 1


@pytest.mark.parametrize("count", [100, 100_000])
def test_too_many_layers_are_said_at_once(count):
    module = nn.Sequential(*(nn.Linear(1, 1, bias=False) for _ in range(count)))
    with pytest.raises(FrontendError, match=rf"has {count} Linear layers, expected at most 99"):
        torch_fx.layers(module)


def test_uses_of_one_layer_count_too():
    class Loop(Net):
        def forward(self, x):
            for _ in range(100):
                x = self.square(x)
            return x

    loop = Loop()
    loop.square = nn.Linear(4, 4)
    with pytest.raises(FrontendError, match="has 100 Linear layers, expected at most 99"):
        torch_fx.layers(loop)


def test_names_of_layers_are_unlike_each_other_and_unlike_stages():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.softmax, self.input = nn.Linear(4, 4), nn.Linear(4, 4)
            self.a = nn.ModuleDict({"b": nn.Linear(4, 4)})
            self.a_b, self.a_b_2 = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            x = self.a_b(self.a["b"](self.input(self.softmax(x))))
            return self.a_b(self.a_b_2(x))

    found = [(layer.name, layer.weights) for layer in torch_fx.layers(Named())]
    names = ["layer_softmax", "layer_input", "a_b", "a_b_2", "a_b_2_2", "a_b_3"]
    assert [name for name, _ in found] == names
    assert [weights for _, weights in found] == [*names[:5], "a_b_2"]
