"""Study of learning on the device: drift, a rare class, naive choices, integers beside floats."""

import argparse
import json
from pathlib import Path
from typing import Any

from common import cli, files, jobs, markdown
from common.jobs import Job
from common.paths import BUILD, ROOT
from model.learning.plans import PLANS
from studies import learning_page, learning_tasks
from studies.learning_tasks import CASES, CHOICES

TASKS = "studies.learning_tasks"
SCORES = ("exp", "taylor2")
KINDS = ("integers", "sgd", "adam")
CHECKED = 300


def work(starts: int, raw_starts: int, raw_epochs: int, splits: int, seeds: int) -> list[Job]:
    """Jobs of the whole study."""
    recipes = [learning_tasks.recipe_of(name) for name in PLANS]
    rests_on = jobs.rests_on(TASKS, tops=[], files=recipes)

    def job(function: str, **arguments: Any) -> Job:
        name = "-".join(map(str, (function, *arguments.values())))
        plain = "".join(letter if letter.isalnum() else "-" for letter in name)
        return Job(plain, f"{TASKS}:{function}", arguments, rests_on)

    scored = [(name, score) for name in PLANS for score in SCORES]
    return [
        *(
            job("cross_validation", name=name, score=score, kind=kind, splits=splits, seeds=seeds)
            for name, score in reversed(scored)
            for kind in KINDS
        ),
        *(job("choice", name=name, starts=starts) for name in CHOICES),
        *(
            job("field", name=name, case=case, splits=splits, seeds=seeds)
            for name in PLANS
            for case in CASES
        ),
        *(job("raw", score=score, starts=raw_starts, epochs=raw_epochs) for score in SCORES),
        *(job("agreement", name=name, score=score, count=CHECKED) for name, score in scored),
    ]


def run(arguments: argparse.Namespace) -> None:
    """Compute what the build folder lacks; write page, picture and the block of the guide."""
    settings = {key: getattr(arguments, key) for key in learning_tasks.SETTINGS}
    planned = work(**settings)
    with cli.step(arguments.build, "learning_study"):
        done = jobs.run("learning", planned, arguments.build, workers=arguments.processes)
        found = [
            {"function": job.function.partition(":")[2], **job.arguments, "found": made.result}
            for job, made in zip(planned, done, strict=True)
        ]
        seconds = round(sum(made.seconds for made in done))
        files.write_atomically(arguments.build / "learning.json", json.dumps(found) + "\n")
        text = learning_page.page(found, settings, seconds)
        with files.whole_file(arguments.docs / learning_page.PICTURE) as temporary:
            learning_page.picture(found).savefig(temporary, dpi=120, format="png")
        files.write_atomically(arguments.docs / learning_page.PAGE, text)
        markdown.fill(arguments.guide, {learning_page.BLOCK: learning_page.block(found)})
    print(f"{arguments.docs / learning_page.PAGE}: {len(done)} jobs, {seconds} seconds of work")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.learning", description=__doc__)
    words = {
        "starts": "starts of iris, seeds 1 and up",
        "raw_starts": "starts on raw features",
        "raw_epochs": "epochs on raw features",
        "splits": "splits of cross-validation, and of the field",
        "seeds": "seeds of each split",
    }
    for name, default in learning_tasks.SETTINGS.items():
        option = f"--{name.replace('_', '-')}"
        text = f"{words[name]} (default: %(default)s)"
        built.add_argument(option, type=int, default=default, help=text)
    built.add_argument("--processes", type=int, default=2, help="processes (default: %(default)s)")
    for name, place, text in (
        ("build", BUILD / "learning-study", "folder of the figures, kept from run to run"),
        ("docs", ROOT / "docs/results", "folder of page and picture"),
        ("guide", ROOT / "docs/learning.md", "page with the block"),
    ):
        built.add_argument(f"--{name}", type=Path, default=place, help=text)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
