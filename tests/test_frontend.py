"""A module becomes its chain of layers, or is refused by the node that the hardware lacks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from model import frontend
from model.frontend import FrontendError
from model.irisnet import IrisNet


def names(module):
    return [(layer.name, layer.weights, layer.relu) for layer in frontend.layers(module)]


class Forward(nn.Module):
    """Two linear layers of 4 and whatever ``forward`` makes of them."""

    def __init__(self, forward):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.softmax, self.relu, self.drop = nn.Softmax(dim=1), nn.ReLU(), nn.Dropout()
        self.rows, self.gain = nn.Softmax(dim=0), nn.Parameter(torch.ones(4))
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def test_irisnet_keeps_its_shared_layer_and_has_no_relu_between_the_two_uses():
    assert names(IrisNet()) == [
        ("fc1", "fc1", True),
        ("fc2", "fc2", False),
        ("fc2_2", "fc2", True),
        ("fc3", "fc3", False),
    ]


def test_shared_uses_are_the_very_same_module():
    module = IrisNet()
    found = frontend.layers(module)
    assert found[1].linear is found[2].linear is module.fc2


def test_sequential_gives_names_that_are_identifiers():
    module = nn.Sequential(
        nn.Sequential(nn.Linear(4, 3), nn.ReLU()), nn.Linear(3, 2), nn.Softmax(1)
    )
    found = names(module)
    assert found == [("layer_0_0", "layer_0_0", True), ("layer_1", "layer_1", False)]
    assert all(name.isidentifier() for name, _, _ in found)


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.softmax(m.b(m.relu(m.a(x)))),
        lambda m, x: m.softmax(m.b(F.relu(m.a(x)))),
        lambda m, x: m.softmax(m.b(F.relu(m.a(x), inplace=True))),
        lambda m, x: m.softmax(m.b(torch.relu(m.a(x)))),
        lambda m, x: m.softmax(m.b(m.a(x).relu())),
        lambda m, x: F.softmax(m.b(F.relu(m.a(x))), dim=1),
        lambda m, x: F.softmax(m.b(F.relu(m.a(x))), -1),
        lambda m, x: torch.softmax(m.b(F.relu(m.a(x))), dim=-1),
        lambda m, x: m.b(F.relu(m.a(x))).softmax(1),
    ],
)
def test_every_spelling_of_relu_and_softmax_is_the_same_network(forward):
    assert names(Forward(forward)) == [("a", "a", True), ("b", "b", False)]


@pytest.mark.parametrize(
    ("forward", "node"),
    [
        (lambda m, x: m.softmax(torch.sigmoid(m.a(x))), "sigmoid"),
        (lambda m, x: m.softmax(m.drop(m.a(x))), "drop"),
        (lambda m, x: m.softmax(m.a(x) + 1), "add"),
        (lambda m, x: m.softmax(m.a(x) * m.gain), "gain"),
        (lambda m, x: m.softmax(m.a(x) + m.b(x)), "b"),
        (lambda m, x: m.softmax(m.a(x) + x), "add"),
        (lambda m, x: m.softmax(m.a(x).tanh()), "tanh"),
        (lambda m, x: m.softmax(m.a(m.relu(x))), "relu"),
        (lambda m, x: m.softmax(m.relu(m.relu(m.a(x)))), "relu_1"),
        (lambda m, x: m.rows(m.a(x)), "rows"),
        (lambda m, x: F.softmax(m.a(x), dim=0), "softmax"),
        (lambda m, x: m.b(m.softmax(m.a(x))), "b"),
        (lambda m, x: m.softmax(m.softmax(m.a(x))), "softmax_1"),
        (lambda m, x: m.softmax(x), "softmax"),
        (lambda m, x: m.a(x), "output"),
        (lambda m, x: (m.softmax(m.a(x)),), "output"),
        (lambda m, x: x, "output"),
    ],
)
def test_anything_else_is_refused_by_its_node(forward, node):
    with pytest.raises(
        FrontendError, match=rf"node '{node}' \(.*\) after .* supported are nn\.Lin"
    ):
        frontend.layers(Forward(forward))


def test_a_second_input_is_refused():
    class TwoInputs(IrisNet):
        def forward(self, x, y):
            return self.softmax(self.fc1(x))

    with pytest.raises(FrontendError, match="node 'y'"):
        frontend.layers(TwoInputs())


def test_a_subclass_of_linear_is_refused_because_it_may_compute_anything():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    with pytest.raises(FrontendError, match="supported are"):
        frontend.layers(nn.Sequential(Doubled(4, 2), nn.Softmax(dim=1)))


def test_control_flow_that_cannot_be_traced_is_refused():
    with pytest.raises(FrontendError, match=r"Forward cannot be traced: .*; supported are nn\."):
        frontend.layers(Forward(lambda m, x: m.a(x) if x.sum() > 0 else m.b(x)))


@pytest.mark.parametrize(
    "reference", ["model.irisnet:Irisnet", "model.nothing:IrisNet", "torch.nn:Linear", "math:floor"]
)
def test_a_module_that_cannot_be_made_is_refused_by_name(reference):
    with pytest.raises(FrontendError, match=f"module '{reference}' "):
        frontend.instantiate(reference)


def test_something_that_is_no_module_is_refused():
    with pytest.raises(FrontendError, match="module 'collections:Counter' is a Counter, legal"):
        frontend.instantiate("collections:Counter")
