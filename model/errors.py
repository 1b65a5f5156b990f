"""What every error of the project is: raised on purpose, for a person to read."""


class VerbatimError(ValueError):
    """The base of them: the message is one sentence that says what was found and what is legal."""
