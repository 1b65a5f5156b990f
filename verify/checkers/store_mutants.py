"""Mutants of what believes results: the store, jobs, what a claim rests on, the ledger."""

from verify.checkers.mutant import weaken

RESULTS = "tests/common/test_results.py"
JOBS = "tests/common/test_jobs.py"
LEDGER = "tests/verify/test_ledger.py"
CAMPAIGN = "tests/verify/test_campaign.py"
EVIDENCE = "tests/verify/test_evidence.py"

MUTANTS = (
    *weaken(
        "common/results.py",
        RESULTS,
        {
            "believes-an-entry-of-other-ingredients": (
                'content if digest(content["rests_on"]) == digest(rests_on) else {}',
                'content if content["rests_on"] else {}',
                "test_entry_whose_record_says_otherwise_is_made_again",
            ),
            "believes-half-an-entry": (
                "            make(beside)\n"
                "            write_atomically(beside / RECORD, text)\n"
                "            beside.rename(entry)\n",
                "            write_atomically(beside / RECORD, text)\n"
                "            beside.rename(entry)\n"
                "            make(entry)\n",
                "test_nothing_of_a_killed_maker_is_believed",
            ),
        },
    ),
    *weaken(
        "common/results.py",
        JOBS,
        {
            "reads-a-file-once-for-all": (
                "return _sha256(path, now.st_mtime_ns, now.st_size)",
                "return _sha256(path, 0, 0)",
                "test_key_follows_the_files_that_are_given",
            ),
        },
    ),
    *weaken(
        "common/jobs.py",
        JOBS,
        {
            "keeps-one-result-for-all-arguments": (
                'call = {"function": self.function, "arguments": self.arguments}',
                'call = {"function": self.function}',
                "test_other_arguments_are_another_job",
            ),
            "keeps-a-result-of-earlier-sources": (
                "return {**call, **self.rests_on}",
                "return dict(call)",
                "test_jobs_are_done_once",
            ),
            "rests-on-no-file-that-it-was-given": (
                '"files": {shown(path): results.sha256(path) for path in files},',
                '"files": {},',
                "test_key_follows_the_files_that_are_given",
            ),
        },
    ),
    *weaken(
        "common/imports.py",
        JOBS,
        {
            "rests-on-no-bench": (
                "        return [bench]\n",
                "        return []\n",
                "test_sources_are_found_through_imports_strings_and_instances",
            ),
            "rests-on-no-data": (
                "found.update(file for name in names for file in _data(name))",
                "found.update(names and [])",
                "test_sources_are_found_through_imports_strings_and_instances",
            ),
            "rests-on-the-top-module-alone": (
                'todo += every.keys() & set(re.findall(r"\\w+", text))',
                "todo += every.keys() & set(text)",
                "test_sources_are_found_through_imports_strings_and_instances",
            ),
        },
    ),
    *weaken(
        "verify/campaigns/campaign.py",
        CAMPAIGN,
        {
            "counts-a-simulation-that-compared-nothing": (
                "    if not outcome.compared:\n",
                "    if outcome.compared is None:\n",
                "test_simulation_that_compared_nothing_is_no_step",
            ),
        },
    ),
    *weaken(
        "verify/campaigns/input_grid.py",
        JOBS,
        {
            "takes-a-box-with-a-hole": (
                "    if compared != expected:\n",
                "    if compared > expected:\n",
                "test_box_that_compared_too_little_leaves_no_evidence",
            ),
        },
    ),
    *weaken(
        "verify/campaigns/random_networks.py",
        JOBS,
        {
            "takes-networks-that-compared-too-little": (
                "    if compared != expected:\n",
                "    if compared > expected:\n",
                "test_random_networks_that_compared_too_little_leave_no_evidence",
            ),
        },
    ),
    *weaken(
        "verify/ledger.py",
        LEDGER,
        {
            "trusts-what-recorded-no-sources": (
                "        return [UNKNOWN]\n",
                "        return []\n",
                "test_claim_whose_module_is_gone_is_stale",
            ),
            "trusts-what-has-lost-a-module": (
                "        return [str(error)]\n",
                "        return [] if error else []\n",
                "test_claim_whose_module_is_gone_is_stale",
            ),
            "forgets-the-tools": (
                "return [*sorted(sources), *sorted(tools)]",
                "return [*sorted(sources)]",
                "test_changed_tool_makes_its_own_claims_stale",
            ),
            "asks-whether-sources-are-there-alone": (
                "if were.get(name) != are.get(name)}",
                "if name not in are}",
                "test_changed_source_makes_its_own_claims_stale",
            ),
            "takes-a-page-that-says-anything": (
                "if markdown.block(page.read_text(), BLOCK) != block(read(ledger)).strip():",
                "if not markdown.block(page.read_text(), BLOCK):",
                "test_page_that_says_otherwise_than_the_truth_is_noticed",
            ),
            "is-fresh-with-claims-of-earlier-sources": (
                "    if again and arguments.fresh:\n",
                "    if again and not arguments.fresh:\n",
                "test_page_that_says_otherwise_than_the_truth_is_noticed",
            ),
            "asks-for-evidence-of-some-level": (
                'if not any(entry["level"] == level for entry in found.values()):',
                "if not found:",
                "test_level_without_evidence_is_refused",
            ),
            "takes-later-evidence-of-other-sources": (
                'return not changes(entry), entry["date"]',
                'return True, entry["date"]',
                "test_evidence_of_these_sources_is_taken_before_any_other",
            ),
        },
    ),
    *weaken(
        "verify/regression.py",
        LEDGER,
        {
            "takes-a-failed-test-for-evidence": (
                'passed=all(child.tag in ("properties", "system-out", "system-err") '
                "for child in case),",
                "passed=case is not None,",
                "test_regression_that_failed_is_no_evidence",
            ),
            "takes-tests-that-did-not-run-for-evidence": (
                "    if missing or failed:\n",
                "    if failed:\n",
                "test_regression_that_failed_is_no_evidence",
            ),
        },
    ),
    *weaken(
        "verify/record.py",
        EVIDENCE,
        {
            "records-no-file-that-a-claim-rests-on": (
                'return {"sources": given["sources"] | given["files"], "tools": given["tools"]}',
                'return {"sources": given["sources"], "tools": given["tools"]}',
                "test_claim_rests_on_the_files_that_it_was_given",
            ),
            "takes-one-module-for-all-of-the-rtl": (
                "return None if None in every else sorted(str(top) for top in every)",
                "return sorted(str(top) for top in every if top)",
                "test_one_step_on_all_of_the_rtl_makes_the_claim_rest_on_all",
            ),
        },
    ),
)
