"""Listens to every stream of `mlp_top`, whatever the network."""

from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.task import Task
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from model.artifact import Network
from model.reference import trace
from model.spec import PROBABILITY_W, Int, NetworkSpec
from tb.scoreboard import Scoreboard
from tb.stream import Clocked, Field


@dataclass(frozen=True)
class Tap:
    """One stream: its handshake, and for each of its payloads the channel that it belongs to."""

    valid: Any
    ready: Any
    payloads: tuple[tuple[str, Field, Any], ...]


def taps(dut: Any, spec: NetworkSpec) -> list[Tap]:
    """A tap on each stream, in data-path order; channels are named as in `reference.trace`."""
    found = []
    for index, layer in enumerate(spec.layers):
        block = dut.g_layer[index].u_layer
        vector = Field("x", layer.x.width, layer.n_in, signed=True)
        sums = Field("acc", layer.acc_w, layer.pe, signed=True)
        values = Field("y", layer.y.width, layer.pe, signed=True)
        name = layer.name
        found += [
            Tap(block.in_valid, block.in_ready, ((f"{name}.x", vector, block.in_x),)),
            Tap(block.acc_valid, block.acc_ready, ((f"{name}.acc", sums, block.acc),)),
            Tap(block.y_valid, block.y_ready, ((f"{name}.y", values, block.y),)),
        ]
        if layer.relu:
            relu = ((f"{name}.relu", values, block.relu),)
            found.append(Tap(block.relu_valid, block.relu_ready, relu))
    return found + _softmax_taps(dut.u_softmax, spec)


def _softmax_taps(block: Any, spec: NetworkSpec) -> list[Tap]:
    softmax, inner = spec.softmax, block.u_normalize
    logits = Field("x", softmax.x.width, softmax.n, signed=True)
    scores = Field("scores", softmax.score_w, softmax.lanes)
    total = Field("total", softmax.total_w)
    quotients = Field("quotients", PROBABILITY_W, softmax.lanes)
    probabilities = Field("p", PROBABILITY_W, softmax.n)
    winner = Field("class", softmax.class_w)
    return [
        Tap(block.in_valid, block.in_ready, (("softmax.x", logits, block.in_x),)),
        Tap(block.score_valid, block.score_ready, (("softmax.scores", scores, block.scores),)),
        Tap(inner.total_valid, inner.total_ready, (("softmax.totals", total, inner.total),)),
        Tap(
            inner.quotient_valid,
            inner.quotient_ready,
            (("softmax.quotients", quotients, inner.quotients),),
        ),
        Tap(
            block.out_valid,
            block.out_ready,
            (
                ("softmax.probabilities", probabilities, block.out_p),
                ("softmax.class", winner, block.out_class),
            ),
        ),
    ]


def expected_values(network: Network, x: Int) -> dict[str, Int]:
    """What each tapped channel must carry for input codes ``x [samples, n_in]``."""
    values = trace(network, x)
    vector = values.pop("input")
    for layer in network.spec.layers:
        values[f"{layer.name}.x"] = vector
        vector = values[f"{layer.name}.{'relu' if layer.relu else 'y'}"]
    values["softmax.x"] = vector
    return values


def start_listening(
    clocked: Clocked, tapped: list[Tap], values: dict[str, Int], scoreboard: Scoreboard
) -> list[Task[None]]:
    """Expect ``values`` of the taps' channels and hand every beat to the scoreboard."""
    for tap in tapped:
        for channel, field, _ in tap.payloads:
            scoreboard.expect(channel, field, values[channel])
    return [cocotb.start_soon(_listen(clocked, tap, scoreboard)) for tap in tapped]


async def _listen(clocked: Clocked, tap: Tap, scoreboard: Scoreboard) -> None:
    """Watch one stream, asleep while it offers nothing. An X raises."""
    while True:
        if not tap.valid.value:
            await RisingEdge(tap.valid)
        await clocked.edge
        if tap.valid.value and tap.ready.value:
            now = int(get_sim_time("ns"))
            for channel, _, handle in tap.payloads:
                scoreboard.observe(channel, int(handle.value), now)
