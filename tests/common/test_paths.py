"""Names of modules and places, in a checkout; `tests/package` has those of the package."""

from common import paths


def test_module_of_a_room_keeps_its_name_in_a_checkout() -> None:
    assert paths.PACKAGE == ""
    assert paths.module("model.spec") == "model.spec"
    assert paths.module("numpy.linalg") == "numpy.linalg"
    assert paths.BUILD == paths.ROOT / "build"
