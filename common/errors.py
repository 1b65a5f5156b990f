"""What every error of the project is: raised on purpose, for a person to read."""

# Longer sentences quote something that nobody reads to its end: the middle is left out.
MOST_CHARACTERS = 400


class VerbatimError(ValueError):
    """The base of them: the message is one sentence that says what was found and what is legal.

    Whatever it quotes, it is one line of at most `MOST_CHARACTERS`.

    >>> str(VerbatimError("key is 'a\\nb'" + 500 * "!"))[:20]
    "key is 'a\\\\nb'!!!!!!!"
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(_in_one_line(sentence))


def _in_one_line(sentence: str) -> str:
    """The sentence with its unprintable characters escaped, and no more of it than one reads."""
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in sentence)
    sentence = "".join(escaped)
    if len(sentence) > MOST_CHARACTERS:
        kept = MOST_CHARACTERS // 2 - 3
        sentence = f"{sentence[:kept]} ... {sentence[-kept:]}"
    return sentence


class CommandError(VerbatimError):
    """A command that cannot be done: the message is one sentence for the person who typed it."""
