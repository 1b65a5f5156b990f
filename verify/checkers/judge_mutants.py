"""Mutants of what judges: a runner's results, a solver's verdict, the fate of a mutant."""

from verify.checkers.mutant import weaken

RUNNER = "tb/test_runner.py"
STREAMS = "tb/test_broken_streams.py"
SOLVERS = "tests/verify/test_solver_verdicts.py"
NEURONS = "tests/verify/test_neurons.py"
JUDGEMENT = "tests/verify/test_judgement.py"
MUTATION = "tests/verify/test_mutation_page.py"
AGREEMENT = "tests/verify/test_simulator_agreement.py"
COMPARE = "tests/model/test_compare.py"
ROBUSTNESS = "tests/studies/test_robustness.py"

MUTANTS = (
    *weaken(
        "tb/sim/runner.py",
        RUNNER,
        {
            "takes-a-skipped-test-for-a-pass": (
                '("failure", "error", "skipped")',
                '("failure", "error")',
                "test_results_without_a_pass_are_failures",
            ),
            "takes-an-error-for-a-pass": (
                '("failure", "error", "skipped")',
                '("failure", "skipped")',
                "test_results_without_a_pass_are_failures",
            ),
            "judges-the-first-test-alone": (
                "    for case in cases:\n",
                "    for case in cases[:1]:\n",
                "test_results_without_a_pass_are_failures",
            ),
            "passes-a-bench-without-tests": (
                "    if not cases:\n",
                "    if cases is None:\n",
                "test_results_without_a_pass_are_failures",
            ),
            "passes-a-simulation-without-results": (
                'raise SimulationFailed(f"{module}: ended without results: '
                '{complaint_in(log)}; log: {log}")',
                "return 1",
                "test_a_simulation_without_results_is_a_failure",
            ),
        },
    ),
    *weaken(
        "tb/sim/runner.py",
        STREAMS,
        {
            "counts-the-values-of-one-test": (
                "compared = sum(map(int, counts.read_text().split()))",
                "compared = max(map(int, counts.read_text().split()))",
                "test_values_of_every_test_are_counted",
            ),
        },
    ),
    *weaken(
        "tb/sim/simulators.py",
        STREAMS,
        {
            "simulates-the-build-of-earlier-sources": (
                '"sources": results.files(sources.verilog(rtl)),',
                '"sources": {},',
                "test_change_of_the_source_is_built_anew",
            ),
        },
    ),
    *weaken(
        "tb/sim/simulators.py",
        RUNNER,
        {
            "lets-the-environment-resolve-an-x": (
                'r"(COCOTB|GPI|PYGPI|IVERILOG|VVP|VERILATOR)_\\w+',
                'r"(GPI|PYGPI|IVERILOG|VVP|VERILATOR)_\\w+',
                "test_all_that_cocotb_reads_is_taken_away",
            ),
        },
    ),
    *weaken(
        "verify/formal/pdr.py",
        SOLVERS,
        {
            "takes-undecided-for-proved": (
                ".get(found[1])",
                ".get(found[1], True)",
                "test_only_a_proof_holds",
            ),
            "takes-any-bounded-run-for-proved": (
                "True if frames >= bound - 1 else None",
                "True",
                "test_only_a_proof_holds",
            ),
            "takes-a-bounded-run-a-cycle-short": (
                "True if frames >= bound - 1 else None",
                "True if frames >= bound - 2 else None",
                "test_only_a_proof_holds",
            ),
            "proves-a-design-without-assertions": (
                "return Verdict(outputs == {0}, 0)",
                "return Verdict(1 not in outputs, 0)",
                "test_what_is_settled_before_the_solver_is_read_from_the_outputs",
            ),
            "proves-all-where-one-assertion-holds": (
                "return Verdict(outputs == {0}, 0)",
                "return Verdict(0 in outputs, 0)",
                "test_what_is_settled_before_the_solver_is_read_from_the_outputs",
            ),
            "asks-no-solver-where-one-assertion-is-settled": (
                "if outputs <= {0, 1}:  # nothing is left to prove\n"
                "        return Verdict(outputs == {0}, 0)",
                "if outputs & {0, 1}:\n        return Verdict(1 not in outputs, 0)",
                "test_one_open_output_among_settled_ones_asks_the_solver",
            ),
            "takes-a-silent-solver-for-a-proof": (
                'assert found, f"{folder / VERDICT}: no verdict"',
                'found = found or re.match("snl_(UNSAT) (0)", "snl_UNSAT 0")',
                "test_solver_without_a_verdict_is_an_error",
            ),
            "believes-the-verdict-of-an-earlier-run": (
                "(folder / VERDICT).unlink(missing_ok=True)",
                "(folder / VERDICT).touch()",
                "test_verdict_of_an_earlier_run_is_not_believed",
            ),
        },
    ),
    *weaken(
        "syn/yosys.py",
        SOLVERS,
        {
            "takes-a-script-that-failed-for-finished": (
                "    if done.returncode:\n",
                "    if done.returncode < 0:\n",
                "test_yosys_that_fails_is_an_error",
            ),
        },
    ),
    *weaken(
        "verify/formal/properties.py",
        SOLVERS,
        {
            "keeps-a-contract-that-is-undecided": (
                "if not verdict.holds:",
                "if verdict.holds is False:",
                "test_proof_that_is_undecided_is_none",
            ),
        },
    ),
    *weaken(
        "verify/formal/softmax_proofs.py",
        SOLVERS,
        {
            "keeps-a-promise-that-is-undecided": (
                "if not verdict.holds:",
                "if verdict.holds is False:",
                "test_proof_that_is_undecided_is_none",
            ),
            "asks-for-the-status-of-symbiyosys-alone": (
                'if done.returncode or "DONE (PASS" not in done.stdout:',
                "if done.returncode:",
                "test_only_a_pass_of_symbiyosys_is_a_proof",
            ),
            "asks-for-the-word-of-symbiyosys-alone": (
                'if done.returncode or "DONE (PASS" not in done.stdout:',
                'if "DONE (PASS" not in done.stdout:',
                "test_only_a_pass_of_symbiyosys_is_a_proof",
            ),
            "takes-any-end-of-symbiyosys-for-a-pass": (
                '"DONE (PASS" not in done.stdout',
                '"DONE (" not in done.stdout',
                "test_only_a_pass_of_symbiyosys_is_a_proof",
            ),
        },
    ),
    *weaken(
        "verify/formal/prove.py",
        SOLVERS,
        {
            "goes-on-after-a-proof-that-failed": (
                "    return properties.prove(proof) if isinstance(proof, Contract) "
                "else proof.prove()\n",
                "    try:\n"
                "        return properties.prove(proof) if isinstance(proof, Contract) "
                "else proof.prove()\n"
                "    except ValueError:\n"
                "        return 0\n",
                "test_proof_that_fails_ends_the_command",
            ),
        },
    ),
    *weaken(
        "verify/formal/neurons_words.py",
        NEURONS,
        {
            "proves-a-lemma-that-is-undecided": (
                "if answer != self.bitwuzla.Result.UNSAT:",
                "if answer is None:",
                "test_what_a_solver_does_not_decide_is_not_proved",
            ),
            "remembers-an-equality-before-it-is-decided": (
                "        if len(found) != len(expected):\n",
                "        self._equal.add((found, expected))\n"
                "        if len(found) != len(expected):\n",
                "test_different_words_are_told_apart",
            ),
        },
    ),
    *weaken(
        "verify/mutation/equivalence.py",
        SOLVERS,
        {
            "proves-a-mutant-of-a-clock": (
                "        return None\n",
                "        return Verdict(True, 0)\n",
                "test_mutant_at_another_edge_is_never_proved",
            ),
            "forgets-the-edge-of-a-clock": (
                "CLK(?:_POLARITY)? ",
                "CLK ",
                "test_another_clock_or_edge_is_seen",
            ),
            "takes-any-signal-for-a-clock-that-stands-still": (
                "not all(STANDS_STILL.fullmatch(line) for",
                "not all(STANDS_STILL.match(line) or not line[-1].isdigit() for",
                "test_another_clock_or_edge_is_seen",
            ),
            "compares-valid-where-it-is-high": (
                "if name.startswith(prefix) and name != valid else",
                "if name.startswith(prefix) else",
                "test_miter_asserts_every_output",
            ),
            "compares-all-outputs-but-the-last": (
                "for name in outputs:\n        gate =",
                "for name in list(outputs)[:-1]:\n        gate =",
                "test_miter_asserts_every_output",
            ),
            "compares-one-output-of-a-part": (
                'gate_{name});" for name in outputs]',
                'gate_{name});" for name in list(outputs)[:1]]',
                "test_miter_asserts_every_output",
            ),
        },
    ),
    *weaken(
        "verify/mutation/judge.py",
        SOLVERS,
        {
            "takes-an-undecided-mutant-for-equivalent": (
                "    if proof.holds:\n",
                "    if proof.holds is not False:\n",
                "test_mutant_is_equivalent_only_where_that_is_proved",
            ),
        },
    ),
    *weaken(
        "verify/mutation/judge.py",
        JUDGEMENT,
        {
            "takes-a-missing-simulator-for-a-kill": (
                "except SimulationFailed as error:",
                "except Exception as error:",
                "test_bench_that_could_not_run_has_noticed_nothing",
            ),
            "takes-a-mutant-without-a-proof-for-equivalent": (
                '{"outcome": "survived", "why": self.passes}',
                '{"outcome": "equivalent", "why": self.passes}',
                "test_outcome_is_that_of_bench_and_proof",
            ),
        },
    ),
    *weaken(
        "verify/mutation/run.py",
        JUDGEMENT,
        {
            "judges-by-a-bench-that-fails-anyway": (
                'if verdict.outcome == "killed":',
                'if verdict.outcome == "equivalent":',
                "test_module_that_fails_without_a_mutant_is_no_judge",
            ),
        },
    ),
    *weaken(
        "verify/mutation/run.py",
        MUTATION,
        {
            "lets-one-mutant-survive": (
                "    if survivors:\n",
                "    if len(survivors) > 1:\n",
                "test_survivor_is_named_with_its_source_line_and_fails_the_command",
            ),
            "passes-where-mutants-are-not-judged": (
                "if not verdicts or len(verdicts) < of:",
                "if not verdicts:",
                "test_what_is_not_judged_yet_fails_the_command",
            ),
        },
    ),
    *weaken(
        "verify/campaigns/simulator_agreement.py",
        AGREEMENT,
        {
            "compares-the-names-of-streams-alone": (
                "if digests[0] != digests[1]:",
                "if digests[0].keys() != digests[1].keys():",
                "test_first_difference_is_named",
            ),
            "agrees-on-nothing": (
                "    if not length:\n",
                "    if length is None:\n",
                "test_nothing_compared_is_no_agreement",
            ),
        },
    ),
    *weaken(
        "model/compare.py",
        COMPARE,
        {
            "sees-what-is-too-large-alone": (
                "np.argwhere(got != want)",
                "np.argwhere(got > want)",
                "test_difference_is_named",
            ),
            "broadcasts-a-tensor-of-another-shape": (
                "if got.shape != want.shape:",
                "if got.ndim != want.ndim:",
                "test_another_shape_of_equal_values_is_a_difference",
            ),
            "passes-where-a-tensor-is-empty": (
                "if not compared or not all(compared.values()):",
                "if not compared:",
                "test_nothing_compared_is_no_equality",
            ),
            "passes-where-no-tensor-was-given": (
                "if not compared or not all(compared.values()):",
                "if not all(compared.values()):",
                "test_nothing_compared_is_no_equality",
            ),
        },
    ),
    *weaken(
        "studies/robustness/check.py",
        ROBUSTNESS,
        {
            "believes-a-leaf": (
                "i >= 0 or holds(file, box, won, i < -1)",
                "True",
                "test_broken_entry_is_refused[wider]",
            ),
            "takes-a-code-out-of-range": (
                "{*x, *other} <= {*range(-top, top)}",
                "{*other} <= {*range(-top, top)}",
                "test_code_that_no_input_has_is_refused",
            ),
            "takes-the-class-for-its-rival": (
                "good = good and rival != won and",
                "good = good and",
                "test_broken_entry_is_refused[with_a_rival_that_is_the_class]",
            ),
            "reads-the-certificate-of-another-network": (
                'if not good or proof["network"] != '
                "hashlib.sha256(Path(network).read_bytes()).hexdigest():",
                "if not good:",
                "test_certificate_of_another_network_is_refused",
            ),
        },
    ),
)
