"""The streams of `mlp_top`, whatever the network, in the order in which data passes them."""

from dataclasses import dataclass

from model.spec import PROBABILITY_W, LayerSpec, NetworkSpec, SoftmaxSpec
from tb.streams import LAST, Field


@dataclass(frozen=True)
class Payload:
    """One bus of a stream: its channel, named as in `reference.trace`, its field, its signal."""

    channel: str
    field: Field
    signal: str


@dataclass(frozen=True)
class Stream:
    """``<prefix>valid`` and ``<prefix>ready`` in an instance below the top, and what they carry."""

    scope: str
    prefix: str
    payloads: tuple[Payload, ...]

    @property
    def valid(self) -> str:
        """The signal that offers a beat."""
        return f"{self.prefix}valid"

    @property
    def ready(self) -> str:
        """The signal that takes it."""
        return f"{self.prefix}ready"

    @property
    def part(self) -> str:
        """What the stream belongs to: the layer's name, ``softmax``, ``s_axis`` or ``m_axis``."""
        return self.payloads[0].channel.partition(".")[0]

    def path(self, top: str, signal: str) -> str:
        """Full name of a signal of this stream, as waveforms have it."""
        return ".".join(filter(None, (top, self.scope, signal)))


def data_path(spec: NetworkSpec) -> list[Stream]:
    """Every stream of `mlp_top`, its own two included."""
    data = Field("data", spec.x.byte_width, spec.in_lanes, signed=True)
    result = Field("data", PROBABILITY_W, spec.out_lanes)
    return [
        _axis("s_axis", ("tdata", data), ("tlast", LAST)),
        *inner_streams(spec),
        _axis("m_axis", ("tdata", result), ("tlast", LAST), ("tuser", Field("user", 8))),
    ]


def inner_streams(spec: NetworkSpec) -> list[Stream]:
    """The streams between the two ends."""
    layers = [_of_layer(index, layer) for index, layer in enumerate(spec.layers)]
    return [*(stream for streams in layers for stream in streams), *_of_softmax(spec.softmax)]


def _axis(name: str, *payloads: tuple[str, Field]) -> Stream:
    found = [Payload(f"{name}.{suffix}", field, f"{name}_{suffix}") for suffix, field in payloads]
    return Stream("", f"{name}_t", tuple(found))


def _of_layer(index: int, layer: LayerSpec) -> list[Stream]:
    scope, name = f"g_layer[{index}].u_layer", layer.name
    vector = Field("x", layer.x.width, layer.n_in, signed=True)
    sums = Field("acc", layer.acc_w, layer.pe, signed=True)
    values = Field("y", layer.y.width, layer.pe, signed=True)
    found = [
        Stream(scope, "in_", (Payload(f"{name}.x", vector, "in_x"),)),
        Stream(scope, "acc_", (Payload(f"{name}.acc", sums, "acc"),)),
        Stream(scope, "y_", (Payload(f"{name}.y", values, "y"),)),
    ]
    if layer.relu:
        found.append(Stream(scope, "relu_", (Payload(f"{name}.relu", values, "relu"),)))
    return found


def _of_softmax(softmax: SoftmaxSpec) -> list[Stream]:
    outer, inner = "u_softmax", "u_softmax.u_normalize"
    logits = Field("x", softmax.x.width, softmax.n, signed=True)
    scores = Field("scores", softmax.score_w, softmax.lanes)
    total = Field("total", softmax.total_w)
    quotients = Field("quotients", PROBABILITY_W, softmax.lanes)
    result = (
        Payload("softmax.probabilities", Field("p", PROBABILITY_W, softmax.n), "out_p"),
        Payload("softmax.class", Field("class", softmax.class_w), "out_class"),
    )
    return [
        Stream(outer, "in_", (Payload("softmax.x", logits, "in_x"),)),
        Stream(outer, "score_", (Payload("softmax.scores", scores, "scores"),)),
        Stream(inner, "total_", (Payload("softmax.totals", total, "total"),)),
        Stream(inner, "quotient_", (Payload("softmax.quotients", quotients, "quotients"),)),
        Stream(outer, "out_", result),
    ]
