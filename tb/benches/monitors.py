"""Listens to every stream of `mlp_top`, whatever the network."""

import re
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.task import Task
from cocotb.utils import get_sim_time

from model.artifact import Network
from model.format import Int
from model.reference import trace
from model.spec import NetworkSpec
from model.stage import Stream
from model.words import Field
from tb.benches.drivers import Clocked, high, word
from tb.benches.probes import inner_streams
from tb.benches.scoreboard import Scoreboard


@dataclass(frozen=True)
class Tap:
    """One stream: its handshake, and for each of its payloads the channel that it belongs to."""

    valid: Any
    ready: Any
    payloads: tuple[tuple[str, Field, Any], ...]


def taps(dut: Any, spec: NetworkSpec) -> list[Tap]:
    """A tap on each stream between the two ends, in data-path order."""
    return [_tap(dut, stream) for stream in inner_streams(spec)]


def _tap(dut: Any, stream: Stream) -> Tap:
    block = dut
    for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", stream.scope):
        block = block[name][int(index)] if index else block[name]
    payloads = ((load.channel, load.field, block[load.signal]) for load in stream.payloads)
    return Tap(block[stream.valid], block[stream.ready], tuple(payloads))


def expected_values(network: Network, x: Int) -> dict[str, Int]:
    """Expected values of each tapped channel for input codes ``x [samples, n_in]``."""
    values = trace(network, x)
    vector = values.pop("input")
    for stage in network.spec.stages:
        values[f"{stage.name}.x"], vector = vector, values[stage.key]
    return values


def start_listening(
    clocked: Clocked, tapped: list[Tap], values: dict[str, Int], scoreboard: Scoreboard
) -> Task[None]:
    """Expect ``values`` of the taps' channels and hand every beat to the scoreboard."""
    for tap in tapped:
        for channel, field, _ in tap.payloads:
            scoreboard.expect(channel, field, values[channel])
    return cocotb.start_soon(_listen(clocked, tapped, scoreboard))


async def _listen(clocked: Clocked, tapped: list[Tap], scoreboard: Scoreboard) -> None:
    """Watch every stream in each cycle: one task, which an edge wakes once. An X raises."""
    while True:
        await clocked.edge
        now = int(get_sim_time("ns"))
        for tap in tapped:
            if high(tap.valid) and high(tap.ready):
                for channel, _, handle in tap.payloads:
                    scoreboard.observe(channel, word(handle), now)
