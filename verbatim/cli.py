"""The command ``verbatim``, for use outside of a checkout: a verb, a network and options."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from common import cli
from common.errors import CommandError
from common.paths import BUILD
from verbatim.needs import needing
from verbatim.verbs import VERBS, Verb
from verbatim.version import version

USAGE = "verbatim VERB [NETWORK] [OPTIONS]; verbatim VERB --help lists the options"


def menu() -> str:
    """All verbs, and where everything is written."""
    width = max(map(len, VERBS))
    lines = [f"  {name:{width}}  {verb.words}" for name, verb in VERBS.items()]
    return "\n".join([USAGE, "", *lines, "", f"Everything generated is written below {BUILD}"])


def main(words: Sequence[str] | None = None) -> None:
    """Run the command; what it cannot do is one sentence on stderr, with status 2."""
    words = sys.argv[1:] if words is None else words
    name, *others = words or ["--help"]
    if name in ("-h", "--help", "help"):
        print(menu())
    elif name == "--version":
        print(f"verbatim {version()}")
    elif name not in VERBS:
        legal = ", ".join(VERBS)
        print(f"verbatim: verb must be one of {legal}, got {name!r}", file=sys.stderr)
        sys.exit(2)
    else:
        _run(name, VERBS[name], others)


def _run(name: str, verb: Verb, words: Sequence[str]) -> None:
    parser = ArgumentParser(
        prog=f"verbatim {name}", description=f"{verb.words[:1].upper()}{verb.words[1:]}."
    )

    def run(arguments: Namespace) -> None:
        with needing(verb.extra):
            found(arguments)

    try:
        with needing(verb.extra):
            found = verb.add(parser)
    except CommandError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        sys.exit(2)
    cli.main(run, parser, words=words)
