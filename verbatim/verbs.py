"""Verbs of the command, each by the functions that make's scripts run.

A verb adds its arguments to a parser and returns what runs. What it needs beside numpy is imported
where it is asked for.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import cli
from common.errors import CommandError
from common.paths import typed
from verbatim import places
from verbatim.places import Place

Run = Callable[[Namespace], None]
SIMULATORS = ("icarus", "verilator")


@dataclass(frozen=True)
class Verb:
    """A word of the command, what it does, and the extra of the package that it needs."""

    words: str
    extra: str
    add: Callable[[ArgumentParser], Run]


def _network(parser: ArgumentParser, *, file: bool = False) -> None:
    kinds = "a name or a recipe (.toml)" if not file else "a name, a recipe (.toml) or a .json"
    parser.add_argument(
        "network", nargs="?", default="iris", help=f"{kinds} (default: %(default)s)"
    )


def _recipe(text: str) -> Place:
    place = places.place(text)
    if not place.is_recipe:
        raise CommandError(f"{place.source}: must be a recipe, a .toml")
    return place


def _in_folder(run: Run) -> Run:
    """Have the network first; ``run`` gets its file or recipe, and its folder as ``build``.

    Nobody else works there meanwhile.
    """

    from verbatim import steps

    def after(arguments: Namespace) -> None:
        place = places.place(arguments.network)
        with cli.holding(place.build):
            steps.network(place)
            run(_with(arguments, network=place.source, build=place.build))

    return after


def new(parser: ArgumentParser) -> Run:
    """A recipe."""
    from scripts import new as script

    script.options(parser)
    return script.run


def folds(parser: ArgumentParser) -> Run:
    """Tables of folds."""
    from scripts import folds as script

    _network(parser)
    return lambda arguments: script.run(Namespace(network=_recipe(arguments.network).source))


def train(parser: ArgumentParser) -> Run:
    """The network's file and its ROM images."""
    from scripts import export
    from verbatim import steps

    _network(parser)
    export.options(parser)

    def run(arguments: Namespace) -> None:
        place = _recipe(arguments.network)
        with cli.holding(place.build):
            steps.network(place, allow_changed_winners=arguments.allow_changed_winners)
            print(f"{place.network}: is up to date")

    return run


def _simulate(parser: ArgumentParser, *shown: Run) -> Run:
    from verbatim import steps

    _network(parser)
    cli.add_sim(parser, SIMULATORS)
    parser.add_argument(
        "--no-waves", action="store_true", help="leave out the waveform of every signal"
    )

    def run(arguments: Namespace) -> None:
        place = _recipe(arguments.network)
        with cli.holding(place.build):
            steps.simulated(place, arguments.sim, waves=not arguments.no_waves)
            for show in shown:
                show(Namespace(build=place.build, sim=arguments.sim))

    return run


def sim(parser: ArgumentParser) -> Run:
    """Tables of every implementation."""
    from scripts.report import terminal

    return _simulate(parser, terminal.run)


def report(parser: ArgumentParser) -> Run:
    """The same, and a page."""
    from scripts.report import html, terminal

    return _simulate(parser, terminal.run, html.run)


def profile(parser: ArgumentParser) -> Run:
    """Ranges of values."""
    from scripts import profile as script

    _network(parser)
    return _in_folder(script.run)


def predict(parser: ArgumentParser) -> Run:
    """Classes of samples, by a network's file alone."""
    from scripts import predict as script

    parser.add_argument(
        "samples", type=Path, help="features: a .csv or an .npz, or - for a CSV on standard input"
    )
    parser.add_argument(
        "--network", help="a name, a recipe (.toml) or a .json (default: the one in build/)"
    )
    forms = parser.add_mutually_exclusive_group()
    for form, words in (
        ("probabilities", "write a table with classes and probabilities, in units of 1/255"),
        ("json", "write all results, an object for each sample"),
    ):
        forms.add_argument(
            f"--{form}", dest="form", action="store_const", const=form, default="lines", help=words
        )
    script.options(parser)

    def run(arguments: Namespace) -> None:
        network = _made(arguments.network)
        script.run(Namespace(**{**vars(arguments), "network": network, "input": arguments.samples}))

    return run


def _made(text: str | None) -> Path:
    """File of a network that is there; raises `CommandError` where it is not, or not named."""
    if text is None:
        built = places.built()
        if len(built) != 1:
            names = ", ".join(path.parent.name for path in built) or "none"
            raise CommandError(f"--network must name a network, since build/ holds {names}")
        return built[0]
    place = places.place(text)
    if not place.is_recipe:
        return place.source
    if not place.network.is_file():
        raise CommandError(f"{place.network}: is missing, {typed('train', text)} makes it")
    return place.network


def core(parser: ArgumentParser) -> Run:
    """A folder to take away."""
    from scripts import core as script

    _network(parser, file=True)
    script.options(parser)

    def run(arguments: Namespace) -> None:
        place = places.place(arguments.network)
        if arguments.samples is None and not place.is_recipe and place.source != place.network:
            raise CommandError(
                f"{place.source}: needs --samples, a .csv or an .npz that the core's bench sends"
            )
        made(arguments)

    made = _in_folder(script.run)
    return run


def synth(parser: ArgumentParser) -> Run:
    """Cells and clock."""
    from scripts import synth as script

    _network(parser, file=True)
    script.options(parser)
    return _in_folder(script.run)


def learn(parser: ArgumentParser) -> Run:
    """A network that the RTL has learned."""
    from scripts import learn as script
    from scripts.claim import claim

    _network(parser)
    script.options(parser)

    def run(arguments: Namespace) -> None:
        place = _recipe(arguments.network)
        with cli.holding(place.build):
            claim(place.build, place.source)
            found = {**vars(arguments), "network": place.source, "build": place.build}
            script.run(Namespace(**found))

    return run


def trim(parser: ArgumentParser) -> Run:
    """A network without the neurons that are constant on its data."""
    from scripts import trim as script

    _network(parser)
    script.options(parser)
    made = _in_folder(script.run)

    def run(arguments: Namespace) -> None:
        _recipe(arguments.network)
        made(arguments)

    return run


def bitstream(parser: ArgumentParser) -> Run:
    """A board's configuration."""
    from scripts import bitstream as script
    from scripts.claim import claim

    _network(parser, file=True)
    script.options(parser)
    parser.add_argument("--learn", action="store_true", help="learn on the board, from a start")
    predicts = _in_folder(lambda arguments: script.run(_with(arguments, learn=None)))

    def run(arguments: Namespace) -> None:
        if not arguments.learn:
            predicts(arguments)
            return
        place = _recipe(arguments.network)
        with cli.holding(place.build):
            claim(place.build, place.source)
            script.run(_with(arguments, learn=place.source, build=place.build))

    return run


def _with(arguments: Namespace, **others: object) -> Namespace:
    return Namespace(**{**vars(arguments), **others})


VERBS = {
    "new": Verb("write a commented recipe for a network of your own", "train", new),
    "folds": Verb("show ways to fold a network: cycles and multipliers", "train", folds),
    "train": Verb("train, quantize and export a network", "train", train),
    "sim": Verb("the same, then simulate its Verilog and compare every value", "sim", sim),
    "report": Verb("the same as a page for a browser", "sim", report),
    "profile": Verb("show how values fill their formats and saturate", "sim", profile),
    "predict": Verb("predict classes of samples in a file", "onnx", predict),
    "core": Verb("write a core to take away: Verilog, ROMs, bench, drivers", "core", core),
    "synth": Verb("measure FPGA resources, clock and latency of a network", "synth", synth),
    "learn": Verb("learn a network in Verilog, from a random start", "sim", learn),
    "trim": Verb("leave out the neurons that are constant on the data's box", "train", trim),
    "bitstream": Verb("build a board's bitstream with a network in it", "synth", bitstream),
}
