"""A part that counts beside a core, as a function of its inputs, cycle by cycle."""

import random
from collections import deque
from collections.abc import Iterator
from typing import Any

from model.words import Field
from tb.modules.learning_parts import Part, Values

# What goes wrong in a core that a block meets: most meet nothing.
FAULTS = ("none",) * 6 + ("loses", "repeats", "short", "long", "hangs", "endless", "sleeps")


class WatchPart(Part):
    """A core of a few samples and many faults between streams that pause, and now and then a reset.

    ``frame`` and ``answer`` are beats of the sample and of the result that are under way,
    ``samples`` and ``results`` those of the block, ``idle`` cycles without a beat.
    """

    cycles = 12000
    inputs = (
        *(Field("rst"), Field("in_valid"), Field("in_ready"), Field("in_last")),
        *(Field("out_valid"), Field("out_ready"), Field("out_last")),
    )

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        names = ("BEATS_IN", "BEATS_OUT", "INDEX_W", "WAIT")
        self.beats_in, self.beats_out, width, self.wait = map(parameters.__getitem__, names)
        self.most = 1 << width
        self.outputs_of = (Field("open"), Field("index", width), Field("done"), Field("lost"))
        self.known = self.done = self.lost = self.wrong = False
        self.frame = self.answer = self.samples = self.results = self.idle = 0

    @property
    def open(self) -> bool:
        """A sample may be offered to the core."""
        return self.samples < self.most and not self.lost

    def drives(self) -> Iterator[Values]:
        """A core that breaks in each of the ways of `FAULTS`, from block to block."""
        core = _Core(self)
        for cycle in range(self.cycles):
            rst = cycle < 2 or random.random() < 0.001
            yield core.drive() | {"rst": rst}
            if rst:
                core.restart()

    def outputs(self, values: Values) -> Values:
        if not self.known:
            return {}
        index = self.results % self.most
        return {"open": self.open, "index": index, "done": self.done, "lost": self.lost}

    def clock(self, values: Values) -> None:
        take = values["in_valid"] and values["in_ready"]
        give = values["out_valid"] and values["out_ready"]
        rests = not take and not values["out_valid"] and (values["in_valid"] or self.samples > 0)
        self.idle = self.idle + 1 if rests else 0
        expired = self.idle == self.wait
        broken = values["in_valid"] or self.samples != self.results
        self.done = bool(self.wrong or expired)
        self.lost = bool(self.wrong or (expired and broken))
        last_due = self.answer == self.beats_out - 1
        self.wrong = bool(give and (values["out_last"] != last_due or self.samples == self.results))
        if take:
            self.frame += 1
            if values["in_last"]:
                self.samples += self.frame == self.beats_in
                self.frame = 0
        if give:
            self.answer = 0 if values["out_last"] else self.answer + 1
            self.results += values["out_last"]
        if values["rst"]:
            self.known, self.done, self.lost = True, False, False
        if values["rst"] or self.lost:
            self.frame = 0
        if values["rst"] or self.done:
            self.samples = self.results = self.answer = self.idle = 0
            self.wrong = False


class _Core:
    """Samples of a few beats in, results a few cycles later, and one fault a block at most."""

    def __init__(self, watch: WatchPart) -> None:
        self.watch = watch
        self.restart()

    def restart(self) -> None:
        """Nothing is under way, and another fault may come."""
        self.coming: deque[tuple[int, bool]] = deque()
        self.left = 0
        self.offered: bool | None = None
        self.given: bool | None = None
        self.fault = random.choice(FAULTS)
        self.pace = random.choice((0.1, 0.6, 1.0))

    def drive(self) -> Values:
        """One cycle of both streams; what is offered stays offered, unless the core is reset."""
        watch = self.watch
        if watch.lost or (watch.done and random.random() < 0.5):
            self.restart()
        if self.offered is None and watch.open and random.random() < self.pace:
            self.offered = self._next_last()
        in_valid = self.offered is not None and watch.open
        in_ready = self.fault != "hangs" and len(self.coming) < 40 and random.random() < 0.8
        in_last = bool(self.offered)
        if in_valid and in_ready:
            self.offered = None
            if in_last and watch.frame == watch.beats_in - 1:
                self._answer()
        if self.fault == "endless" and watch.samples and not self.coming:
            self._answer()
        self.coming = deque((max(0, wait - 1), last) for wait, last in self.coming)
        if self.given is None and not watch.lost and self.coming and self.coming[0][0] == 0:
            self.given = self.coming.popleft()[1]
        out_valid, out_last = self.given is not None and not watch.lost, bool(self.given)
        out_ready = random.random() < 0.7
        if out_valid and out_ready:
            self.given = None
        return {
            **{"in_valid": in_valid, "in_ready": in_ready, "in_last": in_last},
            **{"out_valid": out_valid, "out_ready": out_ready, "out_last": out_last},
        }

    def _next_last(self) -> bool:
        """Tell if the next beat ends a sample; few have another length than they should."""
        if self.left == 0:
            self.left = self.watch.beats_in
            if random.random() < 0.05:
                self.left += random.choice((-1, 1, self.watch.beats_in + 1))
                self.left = max(1, self.left)
        self.left -= 1
        return self.left == 0

    def _answer(self) -> None:
        """A result comes, or what becomes of it where its block meets a fault."""
        meets = self.fault != "none" and random.random() < 0.4
        count = 0 if meets and self.fault == "loses" else 1
        count += meets and self.fault == "repeats"
        beats = self.watch.beats_out + (meets and self.fault == "long")
        beats -= meets and self.fault == "short" and beats > 1
        wait = 3 * self.watch.wait if meets and self.fault == "sleeps" else random.randint(1, 3)
        for _ in range(count):
            self.coming += [(wait, k == beats - 1) for k in range(beats)]


PARTS: dict[str, type[Part]] = {"mlp_watch": WatchPart}
