"""Frozen dataclasses from plain tables, as TOML and JSON hold them."""

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, get_args

from model.format import SpecError, require


def build(kind: type, owner: str, plain: object) -> Any:
    """An instance of dataclass ``kind`` from a mapping of its fields.

    Fields with a default may be left out; one that does not count in comparisons is no key.
    Raises `SpecError`; the sentence begins with ``owner``, the path to the mapping or its part.

    >>> from model.format import Format
    >>> build(Format, "formats.input", {"width": 8, "frac": 99})
    Traceback (most recent call last):
    model.format.SpecError: formats.input: format: frac must be an integer from -16 to 31, got 99
    """
    require(isinstance(plain, Mapping), f"{owner} must be a table of keys, got {plain!r}")
    assert isinstance(plain, Mapping)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.compare}
    for key in plain:
        require(key in fields, f"{owner}: unknown key {key!r}, expected one of {', '.join(fields)}")
    for key, field in fields.items():
        needed = field.default is field.default_factory is dataclasses.MISSING
        require(key in plain or not needed, f"{owner}: key {key!r} is missing")
    values: dict[str, Any] = dict(plain)
    for key in plain:
        nested, alternatives = _tables_of(fields[key].type)
        if nested and (isinstance(values[key], Mapping) or not alternatives):
            values[key] = build(nested, f"{owner}.{key}", values[key])
    try:
        return kind(**values)
    except SpecError as error:
        own_name = owner.rpartition(".")[2]
        raise SpecError(f"{owner}: {str(error).removeprefix(f'{own_name}: ')}") from error


def _tables_of(declared: object) -> tuple[type | None, list[object]]:
    """The dataclass in a field's type and its alternatives, as in ``int | Format``.

    None where an alternative may be a table too.
    """
    members = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    tables = [m for m in members if isinstance(m, type) and dataclasses.is_dataclass(m)]
    others = [m for m in members if m not in tables and m is not NoneType]
    plain = all(isinstance(other, type) for other in others)
    return (tables[0] if len(tables) == 1 and plain else None), others
