"""Parameters for a simulator: on its command line, or typed into a copy of the module."""

from collections.abc import Mapping
from pathlib import Path

from common import sources
from model.stage import Parameter
from model.verilog import is_long, typed


def given(
    module: str, parameters: Mapping[str, Parameter], rtl: Path, folder: Path
) -> tuple[list[Path], dict[str, Parameter]]:
    """The sources of ``rtl``, and the parameters that go onto the command line.

    A list that is too long for one is the default of its parameter in a copy of the module, which
    is written into ``folder``.
    """
    files = sources.verilog(rtl)
    long = {key: value for key, value in parameters.items() if is_long(value)}
    if long:
        text = (rtl / f"{module}.v").read_text()
        for key, value in long.items():
            text = typed(text, key, value)
        copy = folder / f"{module}.v"
        copy.write_text(text)
        files = [copy if path.name == copy.name else path for path in files]
    return files, {key: value for key, value in parameters.items() if key not in long}
