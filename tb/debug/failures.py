"""A failed simulation, once more by itself: the sentence, the waveform round it, and a picture.

`conftest.py` calls `investigate` when a test of the regression ends with `SimulationFailed`.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from common.paths import BUILD
from model.stage import Stream
from tb.debug.beat_log import Diary
from tb.debug.cut import cut
from tb.debug.timing_diagram import View, draw
from tb.debug.views import streams_of, write_views
from tb.debug.waveform import Waveform
from tb.job import Job
from tb.sim.runner import SimulationFailed
from tb.streams import PERIOD_NS

FOLDER = BUILD / "failures"
# Cycles of the waveform that are kept before and after the first divergence.
CYCLES_BEFORE, CYCLES_AFTER = 300, 30


@dataclass(frozen=True)
class Evidence:
    """Evidence of a failure: one sentence, and the files that show it, if it came again."""

    sentence: str
    picture: Path | None = None
    waveform: Path | None = None


def folder_of(test: str) -> Path:
    """The folder of a test: its id, without what a file's name cannot hold."""
    return FOLDER / re.sub(r"[^\w.=-]+", "-", test).strip("-")


def investigate(failure: SimulationFailed, folder: Path) -> Evidence:
    """Simulate the failed test again, with waves on, and leave in ``folder`` what it shows.

    ``sentence.txt`` is the sentence, ``waves.vcd`` the waveform round the first divergence, with
    ``waves.gtkw`` and ``waves.sucl`` to look at it, ``streams.svg`` the picture. Never raises what
    the simulation raises: a second failure of any kind is part of the sentence.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        evidence = _investigated(failure, folder)
    except Exception as error:
        evidence = Evidence(f"it could not be shown: {type(error).__name__}: {error}")
    (folder / "sentence.txt").write_text(f"{failure}\n{evidence.sentence}\n")
    return evidence


def _investigated(failure: SimulationFailed, folder: Path) -> Evidence:
    if failure.again is None:
        return Evidence("it has no simulation that could be repeated")
    recorded, diary = folder / "whole.fst", folder / "beats.jsonl"
    name = f"again-{folder.name}"
    try:
        failure.again(name=name, waves=recorded, diary=diary)
    except SimulationFailed as again:
        assert again.job
        return _shown(again, again.job, recorded, diary)
    finally:
        recorded.unlink(missing_ok=True)
        diary.unlink(missing_ok=True)
    return Evidence(
        "it did not fail again by itself from the same seed: it depends on the tests before it"
    )


def _shown(again: SimulationFailed, job: Job, recorded: Path, diary: Path) -> Evidence:
    """Evidence from the waveform and the diary of the second failure."""
    folder = recorded.parent
    waveform, beats = Waveform(recorded), Diary.read(diary)
    entry = beats.first_divergence or (beats.entries[-1] if beats.entries else None)
    time_ns = beats.first_divergence.time_ns if beats.first_divergence else waveform.edges[-1]
    streams = streams_of(job, waveform)
    layer = _layer(streams, entry.channel) if entry else streams[-2:]
    kept = folder / "waves.vcd"
    window = CYCLES_BEFORE * PERIOD_NS, CYCLES_AFTER * PERIOD_NS
    cut(recorded, kept, max(0, time_ns - window[0]), time_ns + window[1])
    write_views(kept, streams, time_ns=time_ns)
    picture = folder / "streams.svg"
    sentence = re.sub(r"; log: .*", "", str(again))
    draw(View(waveform, beats, time_ns), layer, sentence, picture)
    return Evidence(f"again by itself: {sentence}", picture, kept)


def _layer(streams: list[Stream], channel: str) -> list[Stream]:
    """The streams of the part that a channel belongs to: all of a module, a layer of a network."""
    part = channel.partition(".")[0] if "." in channel else None
    return [stream for stream in streams if part in (None, stream.part)]
