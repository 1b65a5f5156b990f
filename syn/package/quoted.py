"""Names of features and classes, which may hold anything, inside of C and Markdown; numbers."""


def c(text: str) -> str:
    r"""A C string literal of UTF-8 bytes, whatever the text holds.

    >>> print(c('a "b"\n?é'))
    "a \"b\"\012\077\303\251"
    """
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    return '"' + "".join(_byte(byte, plain) for byte in text.encode("utf-8", "replace")) + '"'


def _byte(byte: int, plain: set[int]) -> str:
    if byte in b'"\\':
        return f"\\{byte:c}"
    return f"{byte:c}" if byte in plain else f"\\{byte:03o}"


def markdown(text: object) -> str:
    r"""Text in a cell of a table: one line, with nothing that Markdown takes for its own.

    >>> print(markdown("a|b*\n<c>"))
    a\|b\* \<c\>
    """
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~" else c for c in line)


def comment(text: str) -> str:
    r"""A comment of Verilog: one line of ASCII that no tool goes on from.

    >>> print(comment("a\\\né"))
    a? ?
    """
    return " ".join(text.encode("ascii", "replace").decode().replace("\\", "?").split())


def plural(count: int, noun: str) -> str:
    """Number and noun.

    >>> plural(1, "beat"), plural(3, "beat")
    ('1 beat', '3 beats')
    """
    return f"{count} {noun}{'s' * (count != 1)}"
