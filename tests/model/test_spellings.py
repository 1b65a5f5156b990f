"""Equal networks in other words are the same chain, and a refusal says which words are taken."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from model.data.scaling import Scaling
from model.frontends import torch_fx
from model.frontends.checks import require_equal
from model.frontends.results import choose
from model.frontends.torch_fx import Chain, FrontendError

X = np.random.default_rng(0).normal(size=(60, 4))


class Net(nn.Module):
    """Layers, norms and constants for ``forward`` to take."""

    def __init__(self, forward):
        super().__init__()
        self.a, self.b, self.one = nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6, 1)
        self.relu, self.written = nn.ReLU(), nn.ReLU(inplace=True)
        self.first, self.inside, self.last = (nn.BatchNorm1d(n) for n in (4, 6, 3))
        self.plain = nn.BatchNorm1d(6, affine=False)
        self.implicit, self.threshold = nn.Softmax(), nn.Threshold(0.0, 0.0)
        self.weight, self.bias = nn.Parameter(torch.randn(6, 4)), nn.Parameter(torch.randn(6))
        self.gain = nn.Parameter(torch.tensor([0.5, -2.0, 3.0, 0.25]))
        self.register_buffer("mean", torch.tensor([1.0, 2.0, -3.0, 0.5]))
        self.register_buffer("many", torch.randn(6))
        self.dead = nn.Parameter(torch.tensor([0.0, 1.0, -1.0, 2.0]))
        self.parts = nn.ModuleList([nn.Linear(4, 6), nn.Linear(6, 3)])
        self.nested = nn.Sequential(nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 3))
        self.norm, self.alpha = nn.LayerNorm(6), nn.AlphaDropout()
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def made(forward):
    torch.manual_seed(0)
    net = Net(forward)
    for norm in (net.first, net.inside, net.last, net.plain):
        for tensor in (norm.running_mean, norm.bias, norm.weight, norm.running_var):
            if tensor is not None:
                nn.init.uniform_(tensor, 0.5, 2)
    return net.double().eval()


def written(m, x):
    x = m.a(x)
    x.relu_()
    return m.b(x)


def viewed_and_written(m, x):
    x = m.a(x)
    x.view(-1, 6).relu_()
    return m.b(x)


def looped(m, x):
    for layer in m.parts[:-1]:
        x = torch.relu(layer(x))
    return m.parts[-1](x)


SAME = {
    "view-minus": lambda m, x: m.b(torch.relu(m.a(x.view(-1, 4)))),
    "view-size": lambda m, x: m.b(torch.relu(m.a(x.view(x.size(0), -1)))),
    "view-sizes": lambda m, x: m.b(torch.relu(m.a(x.view(x.size(0), x.size(1))))),
    "view-tuple": lambda m, x: m.b(torch.relu(m.a(x.view((x.shape[0], 4))))),
    "view-of-shape": lambda m, x: m.b(torch.relu(m.a(x).view(x.shape[0], 6))),
    "reshape": lambda m, x: m.b(torch.relu(m.a(x.reshape(x.shape[0], -1)))),
    "torch-reshape": lambda m, x: m.b(torch.relu(m.a(torch.reshape(x, (x.shape[0], -1))))),
    "whole-shape": lambda m, x: m.b(torch.relu(m.a(x.reshape(x.shape)))),
    "flatten-minus": lambda m, x: m.b(torch.relu(m.a(torch.flatten(x, start_dim=-1)))),
    "relu_": written,
    "relu_-of-a-view": viewed_and_written,
    "relu-module-in-place": lambda m, x: m.b(m.written(m.a(x))),
    "functional-relu_": lambda m, x: m.b(F.relu_(m.a(x))),
    "two-relus": lambda m, x: m.b(torch.relu(m.relu(m.a(x)))),
    "clamp": lambda m, x: m.b(m.a(x).clamp(min=0)),
    "clamp-position": lambda m, x: m.b(torch.clamp(m.a(x), 0)),
    "clamp_min": lambda m, x: m.b(m.a(x).clamp_min(0)),
    "threshold": lambda m, x: m.b(m.threshold(m.a(x))),
    "functional-threshold": lambda m, x: m.b(F.threshold(m.a(x), 0.0, 0.0)),
    "maximum": lambda m, x: m.b(torch.maximum(m.a(x), m.many[:1] * 0)),
    "implicit-softmax": lambda m, x: m.implicit(m.b(torch.relu(m.a(x)))),
    "cast": lambda m, x: m.b(torch.relu(m.a(x.type_as(m.weight)))),
    "to": lambda m, x: m.b(torch.relu(m.a(x.to(m.weight.dtype).contiguous()))),
    "cast-to-itself": lambda m, x: m.b(torch.relu(m.a(x.type_as(x)))),
    "clone": lambda m, x: m.b(torch.relu(m.a(x.clone().detach()))),
    "squeeze-of-many": lambda m, x: m.b(torch.relu(m.a(x))).squeeze(),
    "functional-linear": lambda m, x: m.b(torch.relu(F.linear(x, m.weight, m.bias))),
    "functional-linear-without-bias": lambda m, x: m.b(F.linear(x, m.weight).relu()),
    "matmul": lambda m, x: m.b(torch.relu(x @ m.weight.T + m.bias)),
    "addmm": lambda m, x: m.b(torch.relu(torch.addmm(m.bias, x, m.weight.t()))),
    "nested": lambda m, x: m.nested(x),
    "loop": looped,
    "argmax": lambda m, x: m.b(torch.relu(m.a(x))).argmax(dim=1),
    "argmax-of-softmax": lambda m, x: torch.argmax(m.implicit(m.b(torch.relu(m.a(x)))), 1),
    "other-dropouts": lambda m, x: m.b(m.alpha(torch.relu(m.a(x)))),
    "norm-in-front": lambda m, x: m.b(torch.relu(m.a(m.first(x)))),
    "norm-behind-relu": lambda m, x: m.b(m.inside(torch.relu(m.a(x)))),
    "norms-all-round": lambda m, x: m.last(m.b(m.plain(torch.relu(m.inside(m.a(m.first(x))))))),
    "functional-norm": lambda m, x: m.b(
        F.batch_norm(torch.relu(m.a(x)), m.inside.running_mean, m.inside.running_var)
    ),
    "standardized": lambda m, x: m.b(torch.relu(m.a((x - m.mean) / m.gain))),
    "scaled-by-numbers": lambda m, x: m.b(torch.relu(m.a((3 - x) * 0.5 / 255 + 1))),
    "negated": lambda m, x: m.b(torch.relu(m.a(-x))),
    "dead-feature": lambda m, x: m.b(torch.relu(m.a(x * m.dead + m.mean))),
    "constant-computed": lambda m, x: m.b(torch.relu(m.a(x)) * m.many.abs().sqrt()),
    "between-without-relu": lambda m, x: m.b(m.a(x) * m.many - 1),
    "temperature": lambda m, x: m.implicit(m.b(torch.relu(m.a(x))) / 2.5),
    "factor-behind-the-last-relu": lambda m, x: torch.relu(m.b(torch.relu(m.a(x)))) * 2,
    "factor-between-relus": lambda m, x: m.b(torch.relu(torch.relu(m.a(x)) * m.many.abs())),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
@pytest.mark.filterwarnings("ignore:Implicit dimension")
def test_a_spelling_is_the_same_chain(name):
    net = made(SAME[name])
    found = torch_fx.layers(net)
    x = torch.tensor(X)
    ends = torch_fx.logits(net)(x)
    assert torch.allclose(Chain(found)(x), ends, rtol=1e-12, atol=1e-12)
    assert [layer.linear.in_features for layer in found] == [4, 6]
    require_equal(net.float(), torch_fx.layers(net), X)


ONE = {
    "column": lambda m, x: m.one(torch.relu(m.a(x))),
    "squeeze": lambda m, x: m.one(torch.relu(m.a(x))).squeeze(),
    "squeeze-1": lambda m, x: m.one(torch.relu(m.a(x))).squeeze(-1),
    "index": lambda m, x: m.one(torch.relu(m.a(x)))[:, 0],
    "flatten": lambda m, x: m.one(torch.relu(m.a(x))).flatten(),
    "view": lambda m, x: m.one(torch.relu(m.a(x))).view(-1),
    "sigmoid": lambda m, x: torch.sigmoid(m.one(torch.relu(m.a(x)))),
    "sigmoid-squeezed": lambda m, x: torch.sigmoid(m.one(torch.relu(m.a(x))).squeeze(1)),
    "squeezed-sigmoid": lambda m, x: m.one(torch.relu(m.a(x))).sigmoid().squeeze(1),
}


@pytest.mark.parametrize("name", ONE)
def test_one_output_may_be_a_column_or_a_number_for_each_sample(name):
    net = made(ONE[name]).float()
    found = torch_fx.layers(net)
    require_equal(net, found, X)
    assert torch_fx.logits(net)(torch.tensor(X).float()).shape == (60, 1)


OTHERS = {
    "flatten": (lambda m, x: m.a(torch.flatten(x)), r"torch\.flatten\(x, 1\) is"),
    "view": (lambda m, x: m.a(x.view(4, -1)), r"x\.view\(x\.size\(0\), -1\) is"),
    "view-of-others": (lambda m, x: m.b(m.a(x).view(-1, 3)), r"x\.view\(x\.size\(0\), -1\) is"),
    "softmax": (lambda m, x: F.softmax(m.a(x), dim=0), r"nn\.Softmax\(dim=1\)"),
    "softmax-between": (lambda m, x: m.b(F.softmax(m.a(x), 1)), "'softmax' .* as the last step"),
    "clamp": (lambda m, x: m.b(m.a(x).clamp(max=6)), r"clamp\(min=0\) behind a Linear is"),
    "clamp-1": (lambda m, x: m.b(m.a(x).clamp(min=1)), r"clamp\(min=0\) behind a Linear is"),
    "squeeze": (lambda m, x: m.a(x.squeeze(0)), r"squeeze\(1\) of one output is"),
    "index": (lambda m, x: m.a(x)[:, 0], r"x\[:, 0\] of one output is"),
    "integers": (lambda m, x: m.a(x.to(torch.int8)), r"x\.float\(\) is"),
    "half": (lambda m, x: m.a(x.to(torch.float16)), r"x\.float\(\) is"),
    "argmax": (lambda m, x: m.a(x).argmax(), "at the end over dim 1 it is"),
    "skip": (lambda m, x: m.b(torch.relu(m.a(x)) + m.a(x)), "two paths meet there"),
    "same": (lambda m, x: m.a(x + x), "two paths meet there"),
    "concatenation": (lambda m, x: torch.cat([m.a(x), x], 1), "two paths meet there"),
    "copied-before": (lambda m, x: (y := m.a(x), z := y.clone(), y.relu_(), m.b(z))[3], "two pat"),
    "norm-at-the-end": (lambda m, x: m.last(torch.relu(m.b(m.a(x)))), "behind a ReLU it is where"),
    "minus": (lambda m, x: -torch.relu(m.a(x)), "behind a ReLU it is where a Linear follows"),
    "matrix": (lambda m, x: m.b(m.a(x) * m.weight.T), "of a constant, one for each feature"),
    "power": (lambda m, x: m.a(x**2), "supported are nn.Linear"),
    "divided": (lambda m, x: m.a(1 / x), "of a constant, one for each feature"),
    "layer-norm": (lambda m, x: m.b(m.norm(m.a(x))), "supported are nn.Linear"),
    "sizes": (lambda m, x: m.a(x) / x.shape[0], "of a constant, one for each feature"),
    "front": (lambda m, x: m.b(m.a(x.view(-1, 5))), "takes 4 features, expected 5"),
    "several-sigmoids": (lambda m, x: torch.sigmoid(m.b(m.a(x))), "behind a Linear of one output"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_spelling_is_refused_with_the_one_that_is_taken(name):
    forward, words = OTHERS[name]
    with pytest.raises(FrontendError, match=words) as refused:
        torch_fx.layers(made(forward))
    assert "node " in str(refused.value) and str(refused.value).isprintable()


# What stands in front of the first layer becomes the scaling of the features


@pytest.mark.parametrize(
    "name", ["norm-in-front", "standardized", "scaled-by-numbers", "negated", "dead-feature"]
)
def test_a_step_in_front_of_the_layers_becomes_a_scaling(name):
    net = made(SAME[name])
    chain, scaling = torch_fx.behind_front(net)
    wanted = torch_fx.logits(net)(torch.tensor(X))
    found = chain(torch.tensor(scaling.apply(X)))
    assert torch.allclose(found, wanted, rtol=1e-12, atol=1e-12)
    assert min(scaling.scale) > 0


def test_nothing_in_front_is_no_scaling():
    assert torch_fx.behind_front(made(SAME["norm-behind-relu"])) is None
    assert torch_fx.behind_front(Chain(torch_fx.layers(made(SAME["relu_"])))) is None


def test_two_scalings_are_one():
    one, two = Scaling((1.0, 2.0), (0.5, 3.0)), Scaling((-1.0, 0.25), (4.0, 8.0))
    assert np.allclose(one.then(two).apply(X[:, :2]), two.apply(one.apply(X[:, :2])))


def test_statistics_that_are_not_finite_are_refused_in_front_too():
    net = made(SAME["norm-in-front"])
    with torch.no_grad():
        net.first.running_var[1] = -1
    for read in (torch_fx.layers, torch_fx.behind_front):
        with pytest.raises(FrontendError, match="the statistics of first must be finite"):
            read(net)


# Several results


def named(m, x):
    z = m.b(torch.relu(m.a(x)))
    return {"logits": z, "probabilities": F.softmax(z, dim=1)}


class Both(NamedTuple):
    hidden: torch.Tensor
    logits: torch.Tensor


RESULTS = {
    "named-tuple": (lambda m, x: Both(y := m.a(x), m.b(y)), 1),
    "one": (lambda m, x: (m.b(m.a(x)),), None),
    "logits-and-softmax": (lambda m, x: (z := m.b(m.a(x)), F.softmax(z, dim=1)), None),
    "class-and-logits": (lambda m, x: [(z := m.b(m.a(x))).argmax(1), z], None),
    "dict": (named, None),
    "name": (named, "logits"),
    "number": (lambda m, x: (m.b(y := m.a(x)), y), 0),
    "inner": (lambda m, x: (y := m.a(x), m.b(torch.relu(y))), 1),
}


@pytest.mark.parametrize("name", RESULTS)
def test_one_of_several_results_is_taken(name):
    forward, result = RESULTS[name]
    net = choose(made(forward), result).float()
    assert type(net).__name__ == "Net" and next(iter(dict(net.named_children()))) == "a"
    found = torch_fx.layers(net)
    assert [layer.name for layer in found] == ["a", "b"]
    require_equal(net, found, X)


@pytest.mark.parametrize(
    ("forward", "result", "words"),
    [
        (RESULTS["inner"][0], None, "Net returns 2 results, expected one: .* result = one of 0, 1"),
        (RESULTS["inner"][0], 2, "result must be one of 0, 1, got 2"),
        (named, "scores", "result must be one of 'logits', 'probabilities', got 'scores'"),
        (lambda m, x: m.a(x), 0, "result must not be given"),
    ],
)
def test_a_result_that_cannot_be_told_is_asked_for(forward, result, words):
    with pytest.raises(FrontendError, match=words):
        choose(made(forward), result)


class WithOptions(Net):
    def forward(self, x, mask=None, hidden=False):
        x = self.a(x if mask is None else x * mask)
        return x if hidden else self.b(torch.relu(x))


def test_what_else_a_forward_takes_keeps_its_default():
    net = choose(WithOptions(None), None)
    assert type(net).__name__ == "WithOptions"
    found = torch_fx.layers(net)
    assert [(layer.name, layer.relu) for layer in found] == [("a", True), ("b", False)]
    require_equal(net, found, X)
