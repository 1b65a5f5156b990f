"""The base of the project's own errors, whose messages are for a person to read."""

import re
from typing import ClassVar

# Longer sentences quote something long: its middle is left out.
MOST_CHARACTERS = 400
# Colours and cursor movements, which other libraries put into their messages.
ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class VerbatimError(ValueError):
    """Base of all: the message is one sentence, what a value must be and what was found.

    Whatever it quotes, it is one line of at most ``most`` characters.

    >>> str(VerbatimError("key is 'a\\nb'" + 500 * "!"))[:20]
    "key is 'a\\\\nb'!!!!!!!"
    """

    most: ClassVar[int] = MOST_CHARACTERS

    def __init__(self, sentence: str) -> None:
        super().__init__(_in_one_line(sentence, self.most))


def _in_one_line(sentence: str, most: int) -> str:
    """Escape unprintable characters, and leave out the middle of a long sentence."""
    sentence = ESCAPE_SEQUENCE.sub("", sentence)
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in sentence)
    sentence = "".join(escaped)
    if len(sentence) > most:
        kept = most // 2 - 3
        sentence = f"{sentence[:kept]} ... {sentence[-kept:]}"
    return sentence


class SimulationError(VerbatimError):
    """Words of a simulation or a simulator, whose middle names the value that is wrong."""

    most: ClassVar[int] = 4000


class CommandError(VerbatimError):
    """A command that cannot be done: the message is one sentence for the person who typed it."""


def reason(error: BaseException) -> str:
    """Reason of a failure in one line, without the path that an `OSError` repeats.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.csv"))
    'no such file or directory'
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return " ".join(str(error).split()) or type(error).__name__
