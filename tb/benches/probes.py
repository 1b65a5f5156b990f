"""The streams of `mlp_top`, whatever the network, in the order in which data passes them."""

from model.spec import NetworkSpec
from model.stage import Payload, Stream
from model.words import Field
from tb.streams import LAST


def data_path(spec: NetworkSpec) -> list[Stream]:
    """Every stream of `mlp_top`, its own two included."""
    data = Field("data", spec.x.byte_width, spec.in_lanes, signed=True)
    return [
        _axis("s_axis", ("tdata", data), ("tlast", LAST)),
        *inner_streams(spec),
        _axis("m_axis", ("tdata", spec.tdata), ("tlast", LAST), ("tuser", spec.tuser)),
    ]


def inner_streams(spec: NetworkSpec) -> list[Stream]:
    """The streams between the two ends."""
    return [stream for streams in spec.streams for stream in streams]


def _axis(name: str, *payloads: tuple[str, Field]) -> Stream:
    found = [Payload(f"{name}.{suffix}", field, f"{name}_{suffix}") for suffix, field in payloads]
    return Stream("", f"{name}_t", tuple(found))
