"""The softmax study counts what it says, picks up where it stopped, and writes what it counted."""

import json
import math
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from common import cli, markdown
from common.errors import CommandError
from common.paths import ROOT
from model import recipe, reference
from model.data import datasets
from model.format import Format
from model.qat import quantize, training
from studies import softmax, softmax_page
from studies.softmax_page import Row

PAGE = ROOT / "docs" / softmax_page.PAGE
WHOLE = Format(8, 0)
IRIS = recipe.load(ROOT / "model/networks/iris.toml")
SHORT = replace(
    IRIS,
    training=replace(IRIS.training, epochs=100, learning_rate=0.01),
    fine_tuning=replace(IRIS.fine_tuning, epochs=10),
)
FLOWERS = datasets.load("iris")


def rows(*logits, labels=None):
    """What each replacement makes of hand-made logits, whose labels are their winners."""
    array = np.array(logits, dtype=np.float64)
    return softmax.swapped_rows(
        array, WHOLE, array.argmax(axis=1) if labels is None else np.array(labels)
    )


def kept(*logits):
    """Names of the replacements that keep the winner of the one sample."""
    return {key for key, row in rows(logits).items() if row.kept}


def test_a_loser_far_below_minus_one_overtakes_where_the_polynomial_sees_it():
    # Of -8, 1 and 0 the polynomial makes 25, 2.5 and 1.
    assert kept(-8, 1, 0) == {"ordinary", "minus_minimum", "clamped", "exp_swapped"}


def test_subtracting_the_maximum_loses_winners_that_the_raw_polynomial_keeps():
    # Of 0, 3 and 1 it makes 1, 8.5 and 2.5; of -3, 0 and -2 it makes 2.5, 1 and 1.
    assert kept(0, 3, 1) == set(rows((0, 3, 1))) - {"minus_maximum"}


def test_clamping_ties_all_logits_below_the_turn():
    assert "clamped" not in kept(-5, -3, -4)
    assert "clamped" in kept(-3, -5, -4)
    assert "clamped" in kept(-5, -0.5, -4)


def test_the_article_takes_a_code_of_minus_one_for_255():
    assert "article" not in kept(0, 127, -1)
    assert "article" not in kept(5, 127, -128)
    assert "article" in kept(5, 127, 0)
    scores = softmax.article(np.array([[-1, 127, 0]]))
    assert scores.tolist() == [[1 + 255 + 255**2, 1 + 127 + 127**2, 1]]


def test_a_row_counts_winners_labels_and_errors():
    found = rows((0, 1), (4, -4), (2, 1), labels=[1, 1, 0])
    assert {row.samples for row in found.values()} == {3}
    assert (found["ordinary"].kept, found["ordinary"].correct) == (3, 2)
    assert (found["ordinary"].mean_error, found["ordinary"].max_error) == (0, 0)
    assert (found["raw"].kept, found["raw"].correct) == (3, 2)
    wanted = [1 / (1 + math.e), math.exp(8) / (1 + math.exp(8)), math.e / (1 + math.e)]
    errors = [abs(1 / 3.5 - wanted[0]), abs(13 / 18 - wanted[1]), abs(5 / 7.5 - wanted[2])]
    assert found["raw"].max_error == pytest.approx(max(errors))
    assert found["raw"].mean_error == pytest.approx(sum(errors) / 3)


def test_exp_sees_the_logits_in_their_format_and_gives_whole_255ths():
    found = rows((0.4, 0, 0), (5, 0, 1))["exp_swapped"]
    codes = reference.quantize(np.array([[0.4, 0, 0], [5, 0, 1]]), WHOLE)
    assert codes.tolist() == [[0, 0, 0], [5, 0, 1]]
    loser = 1 / (math.exp(0.4) + 2)
    assert found.kept == 2
    # Two losers of 85 by the exact division, 84 by the table; the winner gets the rest.
    assert found.max_error == pytest.approx(1 - 2 * loser - 87 / 255)


@pytest.fixture(scope="module")
def studied():
    return softmax.study(SHORT, FLOWERS)


def test_the_study_of_a_seed_has_every_row_and_starts_from_the_float_network(studied):
    assert set(studied) == set(softmax_page.TITLES)
    train, _ = datasets.split(FLOWERS, SHORT.split.test_fraction, SHORT.split.seed)
    trained = training.learn(SHORT, FLOWERS, train)
    floats = training.probabilities(trained.module, FLOWERS.features)
    winners = floats.argmax(axis=1)
    assert studied["ordinary"].kept == 150
    assert studied["ordinary"].correct == (winners == FLOWERS.labels).sum()
    assert studied["raw"].kept < 150
    network = quantize.export(trained.quantized, SHORT, {})
    classes, probabilities = reference.predict(network, FLOWERS.features)
    through = studied["through_taylor2"]
    assert through.kept == (classes == winners).sum()
    assert through.correct == (classes == FLOWERS.labels).sum()
    errors = np.abs(probabilities / 255 - floats)
    assert through.mean_error == pytest.approx(errors.mean(), abs=1e-6)
    assert through.max_error == pytest.approx(errors.max(), abs=1e-6)


def test_trained_through_each_score_is_the_integer_network_of_that_score(studied):
    train, _ = datasets.split(FLOWERS, SHORT.split.test_fraction, SHORT.split.seed)
    plan = replace(SHORT, softmax=replace(SHORT.softmax, score="exp"))
    trained = training.learn(plan, FLOWERS, train)
    classes, _ = reference.predict(quantize.export(trained.quantized, plan, {}), FLOWERS.features)
    winners = training.probabilities(trained.module, FLOWERS.features).argmax(axis=1)
    assert studied["through_exp"].kept == (classes == winners).sum()
    assert studied["through_exp"] != studied["through_taylor2"]


def test_a_seed_rests_on_recipe_data_and_sources():
    job = softmax.job_of(IRIS, FLOWERS)
    assert job.key == softmax.job_of(IRIS, FLOWERS).key
    others = [
        softmax.job_of(replace(IRIS, seed=1), FLOWERS),
        softmax.job_of(IRIS, replace(FLOWERS, features=FLOWERS.features + 1)),
    ]
    assert all(other.key != job.key for other in others)
    assert {"model/qat/training.py", "studies/softmax.py"} <= set(job.rests_on["sources"])
    assert "torch" in job.rests_on["tools"]


def test_the_command_fills_its_page_and_takes_up_what_was_done(monkeypatch, tmp_path, capsys):
    text = (ROOT / "model/networks/iris.toml").read_text()
    hasty = re.sub(r"epochs = \d+", "epochs = 3", text)
    (tmp_path / "hasty.toml").write_text(hasty)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / softmax_page.PAGE
    page.write_text(
        "before <!-- summary --><!-- /summary --> <!-- by-seed --><!-- /by-seed --> after"
    )
    command = ["study", "--network", tmp_path / "hasty.toml", "--build", tmp_path, "--seeds", "2"]
    command += ["--processes", "1", "--docs", tmp_path / "docs"]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    cli.main(softmax.run, softmax.parser())
    first = page.read_text()
    assert first.startswith("before") and first.endswith("after")
    assert "Over 2 seeds, counted on 150 samples" in first
    (done,) = tmp_path.glob("seed-0-*.json")
    content = json.loads(done.read_text())
    content["value"]["result"]["ordinary"]["kept"] = 149
    done.write_text(json.dumps(content))
    cli.main(softmax.run, softmax.parser())
    assert "| ordinary softmax | 149 | 150 |" in page.read_text()
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {
        softmax_page.PAGE,
        softmax_page.STUDY_PICTURE,
        softmax_page.CURVE_PICTURE,
    }


def test_a_page_is_filled_between_its_markers_alone_and_refused_without_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a <!-- x -->old<!-- /x --> b <!-- y --><!-- /y --> c")
    markdown.fill(page, {"x": "new", "y": "1"})
    again = page.read_text()
    assert again == "a <!-- x -->\n\nnew\n\n<!-- /x --> b <!-- y -->\n\n1\n\n<!-- /y --> c"
    markdown.fill(page, {"x": "new"})
    assert page.read_text() == again
    for text in ("<!-- x -->", "<!-- /x -->", "<!-- /x --><!-- x -->"):
        page.write_text(text)
        with pytest.raises(CommandError, match=r"page\.md: the page must have <!-- x"):
            markdown.fill(page, {"x": "new"})
        assert page.read_text() == text
    with pytest.raises(CommandError, match=r"none\.md: cannot be read"):
        markdown.fill(tmp_path / "none.md", {})


def one_row_each(**changes):
    return {key: replace(Row(150, 150, 148, 0.0, 0.0), **changes) for key in softmax_page.TITLES}


def test_the_summary_gives_mean_least_and_most():
    figures = {
        0: one_row_each(kept=10, mean_error=0.1, max_error=0.5),
        1: one_row_each(kept=15, correct=149, mean_error=0.2, max_error=0.25),
    }
    line = "| ordinary softmax | 12.5 (10 to 15) | 148.5 (148 to 149) | 0.1500 | 0.5000 |"
    assert line in softmax_page.summary(figures).splitlines()
    assert "| ordinary softmax | 10 | 15 |" in softmax_page.by_seed(figures).splitlines()


def test_pictures_are_the_same_bytes_again(tmp_path):
    for name in ("a", "b"):
        softmax_page.save(softmax_page.study_picture({0: one_row_each()}), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_in_the_repository_was_written_by_the_command():
    text = PAGE.read_text()
    for title in softmax_page.TITLES.values():
        summary, by_seed = re.findall(rf"^\| {re.escape(title)} \| (.*) \|$", text, flags=re.M)
        counts = [int(count) for count in by_seed.split(" | ")]
        assert len(counts) == 10
        spread = f"{np.mean(counts):.1f} ({min(counts)} to {max(counts)})"
        assert summary.startswith(f"{spread} | ")
    for picture in (softmax_page.STUDY_PICTURE, softmax_page.CURVE_PICTURE):
        assert f"]({picture})" in text
        assert (PAGE.parent / picture).read_bytes().startswith(b"\x89PNG")


def test_every_link_of_the_page_leads_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text())
    assert len(links) >= 7
    assert [link for link in links if not (PAGE.parent / link.partition("#")[0]).exists()] == []


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)
