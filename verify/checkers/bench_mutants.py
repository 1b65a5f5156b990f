"""Mutants of the benches: what they compare, count, and hold a stream to."""

from verify.checkers.mutant import weaken

UNITS = "tests/tb/test_bench_checks.py"
STREAMS = "tb/test_broken_streams.py"
DIVERGENCE = "tb/test_divergence.py"


def broken(name: str) -> str:
    """The test on a broken stream of this name."""
    return f"test_broken_promise_is_named[{name}]"


MUTANTS = (
    *weaken(
        "tb/benches/scoreboard.py",
        DIVERGENCE,
        {
            "ignores-beats-beyond-the-last": (
                'raise AssertionError(f"{self.name}: a beat beyond the {beat} that were expected")',
                "return None",
                "test_a_scoreboard_that_saw_too_little_or_too_much_fails",
            ),
            "compares-the-lowest-bit-of-a-beat": (
                "if word == self.words[beat]:",
                "if word & 1 == self.words[beat] & 1:",
                "test_a_scoreboard_names_the_first_value_that_differs",
            ),
            "counts-one-difference-at-most": (
                "self.differing += 1",
                "self.differing = 1",
                "test_a_scoreboard_names_the_first_value_that_differs",
            ),
            "concludes-in-spite-of-a-difference": (
                'assert self.first is None, f"',
                'assert total >= differing, f"',
                "test_a_scoreboard_names_the_first_value_that_differs",
            ),
            "passes-where-nothing-was-compared": (
                "assert total > 0,",
                "assert total >= 0,",
                "test_a_scoreboard_that_compared_nothing_fails",
            ),
            "passes-where-too-few-values-came": (
                "assert channel.compared == channel.size, (",
                "assert channel.compared <= channel.size, (",
                "test_a_scoreboard_that_saw_too_little_or_too_much_fails",
            ),
        },
    ),
    *weaken(
        "tb/benches/scoreboard.py",
        UNITS,
        {
            "names-the-last-element-of-a-beat": (
                "first = first or Divergence(",
                "first = Divergence(",
                "test_scoreboard_names_the_first_element_of_a_beat_that_differs",
            ),
            "forgets-a-difference-before-equal-beats": (
                "self.first = self.first or divergence",
                "self.first = divergence",
                "test_scoreboard_remembers_a_difference_before_equal_values",
            ),
            "wants-the-first-stream-alone-whole": (
                "for channel in self.channels.values():\n            assert",
                "for channel in list(self.channels.values())[:1]:\n            assert",
                "test_scoreboard_wants_every_stream_whole",
            ),
            "counts-the-last-scoreboard-alone": (
                'with Path(COUNTS).open("a")',
                'with Path(COUNTS).open("w")',
                "test_scoreboards_of_one_simulation_add_up",
            ),
        },
    ),
    *weaken(
        "tb/benches/comparison.py",
        UNITS,
        {
            "sees-what-is-too-small-alone": (
                "np.argwhere(expected != got)",
                "np.argwhere(expected > got)",
                "test_comparison_names_the_first_element_that_differs",
            ),
            "names-the-last-element-of-an-array": (
                "tuple(differing[0].tolist())",
                "tuple(differing[-1].tolist())",
                "test_comparison_names_the_first_element_that_differs",
            ),
            "broadcasts-an-array-of-another-shape": (
                "assert expected.shape == got.shape,",
                "assert expected.size,",
                "test_comparison_refuses_another_shape",
            ),
            "counts-an-array-as-one-value": (
                "self.compared += expected.size",
                "self.compared += 1",
                "test_comparison_counts_values_and_refuses_none",
            ),
            "passes-where-no-array-was-compared": (
                "assert self.compared > 0,",
                "assert self.compared >= 0,",
                "test_comparison_counts_values_and_refuses_none",
            ),
            "counts-the-last-comparison-alone": (
                'with Path(COUNTS).open("a")',
                'with Path(COUNTS).open("w")',
                "test_comparison_counts_values_and_refuses_none",
            ),
        },
    ),
    *weaken(
        "tb/benches/elaboration.py",
        UNITS,
        {
            "takes-any-parameter-for-the-believed-one": (
                "assert found == expected, (",
                "assert found is not None, (",
                "test_every_parameter_is_read_back",
            ),
            "takes-a-job-without-parameters": (
                'assert job.parameters, "',
                'assert job.module, "',
                "test_job_without_parameters_is_refused",
            ),
            "reads-back-no-negative-parameter": (
                "found -= 1 << INTEGER_W",
                "found = expected",
                "test_parameter_of_another_build_is_refused",
            ),
            "reads-back-no-text": (
                "expected = expected.encode()",
                "found = expected = expected.encode()",
                "test_parameter_of_another_build_is_refused",
            ),
        },
    ),
    *weaken(
        "tb/benches/drivers.py",
        STREAMS,
        {
            "lets-valid-fall-while-stalled": (
                "if held is not None:",
                "if held is not None and valid:",
                broken("drops_valid_while_stalled"),
            ),
            "lets-a-payload-move-while-stalled": (
                "assert beat == held,",
                "assert beat is not None,",
                broken("moves_its_payload"),
            ),
            "holds-the-first-payload-alone": (
                "assert beat == held,",
                "assert beat and next(iter(beat.values())) == next(iter(held.values())),",
                broken("moves_its_tag_alone"),
            ),
            "remembers-no-beat-that-waits": (
                "            held = beat\n",
                "            held = None\n",
                broken("moves_its_payload"),
            ),
            "lets-beats-come-out-of-nowhere": (
                "assert not high(self.port.valid),",
                "assert self.port.name,",
                broken("invents_a_beat_after_the_last"),
            ),
            "listens-for-silence-in-one-cycle": (
                "for _ in range(cycles):",
                "for _ in range(1):",
                broken("invents_a_beat_after_the_last"),
            ),
            "leaves-the-last-payload-on-an-idle-bus": (
                "handle.value = random.getrandbits(field.width * field.lanes)",
                "assert field and handle",
                broken("reads_the_bus_while_nothing_is_offered"),
            ),
            "leaves-a-payload-on-the-bus-between-beats": (
                "self.port.drive_noise()\n                await",
                "await",
                broken("reads_the_bus_while_nothing_is_offered"),
            ),
            "offers-nothing-in-reset": (
                "port.drive_noise()\n                port.valid.value = 1",
                "port.drive_noise()\n                port.valid.value = 0",
                broken("takes_what_is_offered_in_reset"),
            ),
            "reads-an-x-as-0": (
                "{name: word(handle) for",
                '{name: int(handle.value.resolve("zeros")) for',
                broken("is_x_where_0_is_expected"),
            ),
        },
    ),
    *weaken(
        "tb/benches/drivers.py",
        UNITS,
        {
            "hardly-ever-stalls": (
                "yield random.random() < 0.4",
                "yield random.random() < 0.04",
                "test_stalls_are_what_their_names_say",
            ),
            "stalls-too-shortly-to-fill-a-buffer": (
                "random.randint(1, 12)",
                "random.randint(1, 2)",
                "test_stalls_are_what_their_names_say",
            ),
            "resets-in-the-same-cycles-each-time": (
                "range(random.randrange(step), cycles, step)",
                "range(0, cycles, step)",
                "test_resets_reach_every_cycle",
            ),
            "takes-an-x-on-a-wire-for-0": (
                'bit == "1" or (bit != "0" and bool(handle.value))',
                'bit == "1"',
                "test_wire_that_is_neither_0_nor_1_is_refused",
            ),
            "takes-bits-of-a-bus-that-are-x-for-0": (
                'int(bits, 2) if bits.strip("01") == "" else int(handle.value)',
                'int(bits.lower().replace("x", "0"), 2)',
                "test_bus_with_a_bit_that_is_neither_0_nor_1_is_refused",
            ),
            "leaves-out-the-last-of-the-resets-asked-for": (
                "min(bounds[1], cycles)))",
                "min(bounds[1], cycles) - 1))",
                "test_resets_reach_every_cycle",
            ),
        },
    ),
    *weaken(
        "tb/benches/stream_bench.py",
        STREAMS,
        {
            "listens-for-no-silence": (
                "        await self.sink.expect_silence(OPERATOR.latency + DRAIN_CYCLES)\n",
                "",
                broken("invents_a_beat_after_the_last"),
            ),
            "asks-no-scoreboard-in-the-end": (
                "        scoreboard.conclude()\n",
                "",
                broken("is_wrong_at_a_corner"),
            ),
            "takes-a-later-result": (
                "assert latency == OPERATOR.latency,",
                "assert latency >= OPERATOR.latency,",
                broken("takes_a_cycle_more"),
            ),
            "times-the-first-interval-alone": (
                "assert (intervals == OPERATOR.interval).all(), (",
                "assert intervals[0] == OPERATOR.interval, (",
                broken("rests_after_four_beats"),
            ),
            "lets-valid-wait-for-ready": (
                "assert bench.sink.port.valid.value,",
                "assert bench.sink.port.name,",
                broken("waits_for_ready_before_valid"),
            ),
            "sends-the-last-corner-alone": (
                "bench.check(OPERATOR.corners(), source, sink)",
                "bench.check(OPERATOR.corners()[3:5], source, sink)",
                broken("is_wrong_at_a_corner"),
            ),
            "sends-corners-in-place-of-random-vectors": (
                "[OPERATOR.draw() for _ in range(RANDOM_VECTORS)]",
                "OPERATOR.corners()",
                broken("is_wrong_at_one_value_of_sixteen"),
            ),
            "never-stalls-the-output": (
                "sink=[never, randomly, in_bursts]",
                "sink=[never]",
                broken("drops_valid_while_stalled"),
            ),
            "never-stalls-the-input": (
                "source=[never, randomly, in_bursts]",
                "source=[never]",
                broken("reads_the_bus_while_nothing_is_offered"),
            ),
            "resets-in-the-first-cycle-alone": (
                "in reset_cycles(RESET_CYCLES, SOME_RESETS, RESETS):",
                "in reset_cycles(RESET_CYCLES, SOME_RESETS, RESETS)[:1]:",
                broken("keeps_a_late_beat_over_a_reset"),
            ),
            "resets-while-nothing-is-offered": (
                "        await bench.clocked.reset(bench.source.port)\n",
                "        bench.source.port.valid.value = 0\n        await bench.clocked.reset()\n",
                broken("takes_what_is_offered_in_reset"),
            ),
        },
    ),
    *weaken(
        "tb/benches/pipeline_bench.py",
        STREAMS,
        {
            "never-disables-a-part": (
                "enable=[1.0, 0.6]",
                "enable=[1.0]",
                "test_broken_part_is_noticed[moves-while-disabled]",
            ),
            "never-resets-a-part": (
                "reset=[0.0, 0.02]",
                "reset=[0.0]",
                "test_broken_part_is_noticed[ignores-its-reset]",
            ),
            "asks-no-scoreboard-of-a-part": (
                "assert scoreboard.conclude() > CYCLES // 2",
                "assert scoreboard.channels",
                "test_broken_part_is_noticed[is-a-cycle-late]",
            ),
        },
    ),
)
