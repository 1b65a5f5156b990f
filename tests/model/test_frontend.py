"""A module becomes its chain of layers, or is refused by the node that the hardware lacks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from model.frontends import torch_fx
from model.frontends.irisnet import IrisNet
from model.frontends.torch_fx import Chain, FrontendError


def names(module):
    return [(layer.name, layer.weights, layer.relu) for layer in torch_fx.layers(module)]


class Forward(nn.Module):
    """Two linear layers of 4 and whatever ``forward`` makes of them."""

    def __init__(self, forward):
        super().__init__()
        self.a, self.b, self.one = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        self.softmax, self.relu, self.drop = nn.Softmax(dim=1), nn.ReLU(), nn.Dropout()
        self.rows, self.gain = nn.Softmax(dim=0), nn.Parameter(torch.ones(4))
        self.norm, self.batch = nn.BatchNorm1d(4), nn.BatchNorm1d(4, track_running_stats=False)
        self.flat, self.same, self.log = nn.Flatten(), nn.Identity(), nn.LogSoftmax(dim=-1)
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
    found = torch_fx.layers(module)
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
        lambda m, x: m.b(F.relu(m.a(x))),
        lambda m, x: F.log_softmax(m.b(F.relu(m.a(x))), dim=1),
        lambda m, x: torch.log_softmax(m.b(F.relu(m.a(x))), 1),
        lambda m, x: m.log(m.b(F.relu(m.a(x)))),
        lambda m, x: m.b(F.relu(m.a(x))).log_softmax(-1),
        lambda m, x: m.softmax(m.b(m.drop(m.relu(m.drop(m.a(m.flat(x))))))),
        lambda m, x: m.same(m.softmax(m.b(m.same(m.relu(m.same(m.a(m.same(x)))))))),
        lambda m, x: m.b(F.relu(F.dropout(m.a(x.flatten(1)), 0.5, training=m.training))),
        lambda m, x: m.b(F.relu(m.norm(m.a(torch.flatten(x, 1))))),
        lambda m, x: m.b(F.relu(m.norm(m.norm(m.drop(m.a(torch.flatten(x, start_dim=1))))))),
    ],
)
def test_every_spelling_of_relu_and_softmax_is_the_same_network(forward):
    assert names(Forward(forward)) == [("a", "a", True), ("b", "b", False)]


@pytest.mark.parametrize(
    ("forward", "node"),
    [
        (lambda m, x: m.softmax(torch.sigmoid(m.a(x))), "sigmoid"),
        (lambda m, x: m.softmax(torch.sigmoid(m.one(x))), "sigmoid"),
        (lambda m, x: torch.sigmoid(m.one(m.a(x))) + 1, "sigmoid"),
        (lambda m, x: m.softmax(m.a(x) + m.b(x)), "b"),
        (lambda m, x: m.softmax(m.a(x) + x), "add"),
        (lambda m, x: m.softmax(m.a(x).erf()), "erf"),
        (lambda m, x: m.softmax(m.a(m.relu(x))), "relu"),
        (lambda m, x: m.rows(m.a(x)), "rows"),
        (lambda m, x: F.softmax(m.a(x), dim=0), "softmax"),
        (lambda m, x: m.b(m.softmax(m.a(x))), "softmax"),
        (lambda m, x: m.softmax(m.softmax(m.a(x))), "softmax_1"),
        (lambda m, x: m.softmax(x), "softmax"),
        (lambda m, x: m.softmax(m.norm(m.relu(m.a(x)))), "norm"),
        (lambda m, x: m.softmax(m.batch(m.a(x))), "batch"),
        (lambda m, x: m.softmax(F.dropout(m.a(x))), "dropout"),
        (lambda m, x: m.softmax(m.a(torch.flatten(x))), "flatten"),
        (lambda m, x: m.softmax(m.a(x.flatten(0))), "flatten"),
        (lambda m, x: m.softmax(F.log_softmax(m.a(x), dim=1)), "softmax"),
        (lambda m, x: F.log_softmax(m.a(x), dim=0), "log_softmax"),
        (lambda m, x: m.drop(m.relu(x)), "relu"),
        (lambda m, x: (m.softmax(m.a(x)),), "output"),
    ],
)
def test_anything_else_is_refused_by_its_node(forward, node):
    with pytest.raises(FrontendError, match=rf"node '{node}' \(.*\) after .* in one chain"):
        torch_fx.layers(Forward(forward))


def test_a_second_input_is_refused():
    class TwoInputs(IrisNet):
        def forward(self, x, y):
            return self.softmax(self.fc1(x))

    with pytest.raises(FrontendError, match="node 'y'"):
        torch_fx.layers(TwoInputs())


def test_a_subclass_of_linear_is_refused_because_it_may_compute_anything():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    with pytest.raises(FrontendError, match="in one chain"):
        torch_fx.layers(nn.Sequential(Doubled(4, 2), nn.Softmax(dim=1)))


def test_control_flow_that_cannot_be_traced_is_refused():
    with pytest.raises(FrontendError, match=r"Forward cannot be traced: .* in one chain"):
        torch_fx.layers(Forward(lambda m, x: m.a(x) if x.sum() > 0 else m.b(x)))


def test_a_refusal_names_the_line_of_the_users_code():
    class Squashed(IrisNet):
        def forward(self, x):
            x = self.fc1(x)
            x = torch.erf(x)
            return self.fc3(x)

    first = Squashed.forward.__code__.co_firstlineno
    with pytest.raises(FrontendError) as refused:
        torch_fx.layers(Squashed())
    where = f"test_frontend.py line {first + 2}: x = torch.erf(x); supported "
    assert where in str(refused.value)


def test_a_module_without_a_linear_is_refused():
    for module in (nn.Sequential(nn.Identity()), nn.Sequential()):
        with pytest.raises(FrontendError, match="has no Linear layer, expected at least one"):
            torch_fx.layers(module)


def trained_norms(*norms):
    """Statistics and parameters as training leaves them."""
    for norm in norms:
        for tensor in (norm.running_mean, norm.bias, norm.weight, norm.running_var):
            if tensor is not None:
                torch.nn.init.uniform_(tensor, 0.5, 2)


def equal_in_evaluation(module):
    module = module.double().eval()
    x = torch.randn(50, 4, dtype=torch.float64)
    chain = Chain(torch_fx.layers(module))
    assert torch.allclose(chain(x), torch_fx.logits(module)(x), rtol=1e-12, atol=1e-12)
    return [(layer.name, layer.weights) for layer in chain.layers]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_folded_into_the_linear_before_it(bias, affine):
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(6, affine=affine)
    trained_norms(norm)
    module = nn.Sequential(nn.Linear(4, 6, bias=bias), norm, nn.ReLU(), nn.Linear(6, 3))
    assert equal_in_evaluation(module) == [("layer_0", "layer_0"), ("layer_3", "layer_3")]


class SharedBeforeNorms(nn.Module):
    """A Linear used three times, its uses followed by what ``forward`` is told."""

    def __init__(self, *followed_by):
        super().__init__()
        self.fc, self.one, self.two = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.BatchNorm1d(4)
        trained_norms(self.one, self.two)
        self.followed_by = followed_by

    def forward(self, x):
        for name in self.followed_by:
            x = self.fc(x)
            x = F.relu(x if name is None else getattr(self, name)(x))
        return x


@pytest.mark.parametrize(
    ("followed_by", "weights"),
    [
        ((None, None, None), ["fc", "fc", "fc"]),
        (("one", "one", "one"), ["fc", "fc", "fc"]),
        ((None, "one", None), ["fc", "fc_2", "fc"]),
        (("one", None, "one"), ["fc", "fc_2", "fc"]),
        (("one", "two", None), ["fc", "fc_2", "fc_3"]),
    ],
)
def test_uses_of_a_linear_share_weights_exactly_where_the_same_norm_follows(followed_by, weights):
    torch.manual_seed(0)
    found = equal_in_evaluation(SharedBeforeNorms(*followed_by))
    assert found == list(zip(["fc", "fc_2", "fc_3"], weights, strict=True))


def test_a_norm_of_another_size_is_refused():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(4))
    with pytest.raises(FrontendError, match="1 normalizes 4 features, expected 3, the outputs"):
        torch_fx.layers(module)


def test_tracing_leaves_the_mode_of_the_module_alone():
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout())
    for training in (True, False):
        torch_fx.layers(module.train(training))
        assert module.training is training and module[1].training is training


def test_logits_drop_in_training_and_not_in_evaluation():
    module = Forward(lambda m, x: m.softmax(F.dropout(m.a(x), training=m.training)))
    x = torch.randn(200, 4)
    logits = torch_fx.logits(module.train())(x)
    assert (logits == 0).any()
    assert torch.equal(torch_fx.logits(module.eval())(x), module.a(x))
