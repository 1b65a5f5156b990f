"""Mutants of the benches of whole cores: what they tap, time, send and read back."""

from verify.checkers.mutant import weaken

INTERNALS = "tests/tb/test_bench_internals.py"
CORES = "tb/test_broken_cores.py"


def broken(name: str) -> str:
    """The test on a broken core of this name."""
    return f"test_broken_core_is_noticed[{name}]"


MUTANTS = (
    *weaken(
        "tb/benches/monitors.py",
        CORES,
        {
            "taps-all-streams-but-the-first": (
                "for stream in inner_streams(spec)]",
                "for stream in inner_streams(spec)[1:]]",
                "test_every_stream_of_the_core_is_compared_whole",
            ),
            "taps-the-first-payload-of-a-stream-alone": (
                "for load in stream.payloads)",
                "for load in stream.payloads[:1])",
                "test_every_stream_of_the_core_is_compared_whole",
            ),
            "listens-to-all-streams-but-the-first": (
                "for tap in tapped:\n            if",
                "for tap in tapped[1:]:\n            if",
                "test_every_stream_of_the_core_is_compared_whole",
            ),
            "hears-beats-that-nobody-takes": (
                "if high(tap.valid) and high(tap.ready):",
                "if high(tap.valid):",
                "test_every_stream_of_the_core_is_compared_whole",
            ),
            "hears-one-stream-in-a-cycle": (
                "scoreboard.observe(channel, word(handle), now)\n",
                "scoreboard.observe(channel, word(handle), now)\n                break\n",
                "test_every_stream_of_the_core_is_compared_whole",
            ),
        },
    ),
    *weaken(
        "tb/benches/top_bench.py",
        CORES,
        {
            "takes-every-core-for-a-sealed-one": (
                'SEALED = bool(JOB.netlist or JOB.options.get("sealed"))',
                "SEALED = True",
                "test_every_stream_of_the_core_is_compared_whole",
            ),
            "lets-results-come-out-of-nowhere": (
                "assert not high(dut.m_axis_tvalid),",
                "assert SPEC.interval,",
                broken("invents_a_result_after_the_last"),
            ),
            "lets-weights-be-loaded-that-nobody-sent": (
                "said = high(dut.load_done) or high(dut.load_refused)",
                "said = high(dut.load_refused)",
                broken("says_that_weights_were_loaded"),
            ),
            "lets-weights-be-refused-that-nobody-sent": (
                "said = high(dut.load_done) or high(dut.load_refused)",
                "said = high(dut.load_done)",
                broken("says_that_weights_were_refused"),
            ),
            "lets-weights-in-without-a-memory": (
                "assert high(dut.s_load_tready) == SPEC.loadable,",
                "assert SPEC.interval,",
                broken("takes_weights_without_a_memory"),
            ),
            "lets-results-wait-for-ready": (
                "assert dut.m_axis_tvalid.value,",
                "assert SPEC.interval,",
                broken("waits_for_ready_before_valid"),
            ),
            "lets-tlast-stand-anywhere": (
                'assert beat["last"] == (len(sample) == SPEC.n_out),',
                'assert beat["last"] or len(sample) < SPEC.n_out,',
                broken("ends_every_beat"),
            ),
            "sends-no-sample-that-is-too-long": (
                "for n in (beats - 1, beats + 1, 2 * beats, 3 * beats + 1)",
                "for n in (beats - 1,)",
                broken("takes_samples_that_are_too_long"),
            ),
            "sends-no-sample-that-is-too-short": (
                "for n in (beats - 1, beats + 1, 2 * beats, 3 * beats + 1)",
                "for n in (beats + 1, 2 * beats, 3 * beats + 1)",
                broken("takes_samples_that_are_too_short"),
            ),
            "resets-the-core-in-the-first-cycle-alone": (
                "in reset_cycles(RESET_CYCLES, SOME_RESETS, RESETS):",
                "in [0]:",
                broken("computes_on_over_a_reset"),
            ),
        },
    ),
    *weaken(
        "tb/benches/top_bench.py",
        INTERNALS,
        {
            "takes-an-earlier-result": (
                "assert self.latency == SPEC.latency,",
                "assert self.latency <= SPEC.latency,",
                "test_another_latency_is_refused",
            ),
            "times-the-longest-interval-alone": (
                "assert self.intervals == {SPEC.interval}, (",
                "assert max(self.intervals) == SPEC.interval, (",
                "test_one_other_interval_is_refused",
            ),
            "lets-the-slowest-layer-rest": (
                "assert begun == {SPEC.interval},",
                "assert SPEC.interval in begun,",
                "test_layer_that_rests_is_refused",
            ),
        },
    ),
    *weaken(
        "tb/benches/learning_bench.py",
        INTERNALS,
        {
            "compares-no-position-of-a-state": (
                'for key in ("lfsr", "word", "epoch", "position"):',
                'for key in ("lfsr", "word", "epoch"):',
                "test_counter_that_differs_is_named",
            ),
            "compares-no-master-of-the-first-set": (
                "zip(expected.masters, got.masters, strict=True)",
                "zip(expected.masters[1:], got.masters[1:], strict=True)",
                "test_master_that_differs_is_named",
            ),
            "lets-anything-fill-up-a-row": (
                "assert not part[:, n_in:].any(),",
                "assert part.size,",
                "test_row_that_is_filled_up_with_anything_is_refused",
            ),
            "takes-a-save-with-another-index": (
                "assert words == stream(PLAN, state).tolist(),",
                "assert len(words) == STREAM_WORDS,",
                "test_save_of_another_order_is_refused",
            ),
            "lets-the-end-of-a-save-stand-anywhere": (
                'assert beat["last"] == (len(words) == STREAM_WORDS),',
                "assert words,",
                "test_save_whose_last_stands_elsewhere_is_refused",
            ),
            "lets-the-end-of-an-answer-stand-anywhere": (
                'assert beat["last"] == (len(bytes_out) == PLAN.sizes[-1]),',
                "assert bytes_out,",
                "test_answer_has_its_last_at_its_end",
            ),
            "takes-an-answer-of-two-classes": (
                "assert len(users) == 1, ",
                "assert users, ",
                "test_answer_of_two_classes_is_refused",
            ),
        },
    ),
)
