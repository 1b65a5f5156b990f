"""Does the simulated design have the parameters that the bench believes?"""

from typing import Any

from cocotb.handle import StringObject

from model.verilog import code
from tb.job import Job

INTEGER_W = 32


def check_elaboration(dut: Any, job: Job) -> None:
    """Raise AssertionError unless each parameter of the job is what the design was built with."""
    assert job.parameters, "the job names no parameter"
    for name, value in job.parameters.items():
        handle, expected = dut[name], code(value)
        if isinstance(expected, str):
            # Verilator holds a string as the number of its characters.
            found: object = handle.value
            if not isinstance(handle, StringObject):
                number = int(handle.value)
                found = number.to_bytes((number.bit_length() + 7) // 8)
            expected = expected.encode()
        else:
            found = int(handle.value)
            if expected < 0:  # read without a sign
                found -= 1 << INTEGER_W
        assert found == expected, (
            f"{name} was elaborated as {found!r}, the bench believes {expected!r}"
        )
