"""A family of FPGAs whose cells keep the names that Yosys makes up: enough to count them."""

from dataclasses import dataclass

from syn.targets import Device, Target


@dataclass(frozen=True)
class Unnamed(Target):
    """A target that leaves out the naming of cells after what they drive.

    That takes half an hour where a value passes through a register of thousands of stages. Cells
    are the same; which instance one belongs to is unknown.
    """

    def script(
        self, device: Device | None, multipliers: int, top: str, blocks: int = 0
    ) -> tuple[str, ...]:
        """Return the commands of the target, and of its last step all but the names."""
        *first, last = super().script(device, multipliers, top, blocks)
        return (*first, f"{last}check", "hierarchy -check", "blackbox =A:whitebox")


def unnamed(target: Target) -> Unnamed:
    """The same family; its last command must say where it begins, as those with ``carries`` do."""
    assert target.carries
    return Unnamed(**vars(target))
