"""Executors of jobs: in this process, in processes beside it, or on a Dask cluster."""

import functools
import importlib
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Protocol

from common import sources, tools
from common.errors import CommandError
from common.paths import module
from common.programs import BESIDE_OTHERS

# The variable that names a scheduler.
CLUSTER = "CLUSTER"
# Workers that may be killed before their jobs count as the cause.
DEATHS = 3
ADDRESS = re.compile(r"[a-z]+://[^\s/]+:\d{1,5}")
# Seconds in which a scheduler must answer.
PATIENCE = 10


class ExecutorError(CommandError):
    """Workers that cannot do what they are given; the message is one sentence that says why."""


@dataclass(frozen=True)
class Call:
    """A function by its dotted name, such as ``verify.campaigns.x_reset:reset_row``, and its
    arguments by name."""

    function: str
    arguments: Mapping[str, Any]

    def __call__(self) -> Any:
        """Import the function and call it."""
        place, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module(place)), name)(**self.arguments)


class Executor(Protocol):
    """Runs calls, and gives each result with its index as soon as it is there.

    Raises what a call raises, and stops what runs; so it does where its iterator is closed.
    """

    def run(self, calls: Sequence[Call]) -> Generator[tuple[int, Any], None, None]:
        """Yield ``(index, result)`` in the order of completion."""
        ...


def chosen(workers: int | None = None) -> Executor:
    """The cluster that ``CLUSTER`` names; else so many processes, one a core where not said."""
    address = os.environ.get(CLUSTER)
    if address:
        return Cluster(address)
    workers = workers or os.cpu_count() or 1
    return Processes(workers) if workers > 1 else Serial()


@dataclass(frozen=True)
class Serial:
    """One call after the other, in this process."""

    def run(self, calls: Sequence[Call]) -> Generator[tuple[int, Any], None, None]:
        """Yield ``(index, result)`` in order."""
        for index, call in enumerate(calls):
            yield index, call()


@dataclass(frozen=True)
class Processes:
    """So many processes on this machine, each with all that it starts in a group of its own."""

    workers: int

    def run(self, calls: Sequence[Call]) -> Generator[tuple[int, Any], None, None]:
        """Yield ``(index, result)`` as they come.

        What a process that was killed was doing is done by another one; raises `ExecutorError`
        where that happens again and again.
        """
        left = dict(enumerate(calls))
        for _ in range(DEATHS):
            try:
                for index, result in self._run(left):
                    del left[index]
                    yield index, result
                return
            except BrokenProcessPool:
                continue
        raise ExecutorError(
            f"{DEATHS} worker processes were killed, as by a machine without memory left; "
            "what is done is kept, and the same command goes on from there"
        )

    def _run(self, calls: Mapping[int, Call]) -> Generator[tuple[int, Any], None, None]:
        if not calls:
            return
        others = multiprocessing.active_children()
        workers = min(self.workers, len(calls))
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)
        own: list[int] = []
        try:
            running = {pool.submit(call): index for index, call in calls.items()}
            started = [p for p in multiprocessing.active_children() if p not in others]
            own = [process.pid for process in started if process.pid]
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for pid in own:
                _kill_group(pid)
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Make a worker the head of its own group, which ends with the process that started it."""
    os.setpgid(0, 0)
    os.environ[BESIDE_OTHERS] = "1"
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _kill_group(pid: int) -> None:
    """End a worker and all that it started, whether it leads its group by now or not."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@dataclass(frozen=True)
class Checkout:
    """Conditions on a worker: sources, and versions of tools, as on the machine that asks."""

    sources: str
    tools: Mapping[str, str]

    @staticmethod
    def here() -> "Checkout":
        """That of this process, as it is now."""
        return Checkout(sources.checkout_digest(), tools.versions())

    def differs(self, other: "Checkout") -> str | None:
        """Difference of another one from this, or None."""
        if other.sources != self.sources:
            return f"sources {other.sources[:8]} in place of {self.sources[:8]}"
        for name in sorted({*self.tools, *other.tools}):
            found, wanted = (side.tools.get(name, "none") for side in (other, self))
            if found != wanted:
                return f"{name} {found} in place of {wanted}"
        return None


@dataclass(frozen=True)
class Cluster:
    """The workers of a Dask scheduler, each a process of one thread in a checkout of its own."""

    address: str

    def run(self, calls: Sequence[Call]) -> Generator[tuple[int, Any], None, None]:
        """Yield ``(index, result)`` as they come.

        A job of a worker that dies runs on another one. Raises `ExecutorError` where the scheduler
        does not answer, or where a worker cannot do its job as this machine would.
        """
        import distributed
        from distributed import scheduler

        # Its functions have no types.
        client_of: Any = distributed.Client
        as_they_come: Any = distributed.as_completed
        unreachable = ExecutorError(
            f"{CLUSTER} must be the address of a Dask scheduler that answers, such as "
            f"tcp://host:8786, got {self.address}"
        )
        if not ADDRESS.fullmatch(self.address):
            raise unreachable
        try:
            client = client_of(self.address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise unreachable from error
        wanted, running = Checkout.here(), dict[Any, int]()
        try:
            self._require_same(client, wanted)
            for index, call in enumerate(calls):
                running[client.submit(_in_checkout, wanted, call, pure=False)] = index
            for future in as_they_come(list(running), loop=client.loop):
                try:
                    yield running[future], future.result()
                except scheduler.KilledWorker as error:
                    raise ExecutorError(
                        f"a job of {self.address} has ended every worker that it ran on: "
                        f"{calls[running[future]].function}"
                    ) from error
        finally:
            client.cancel(list(running), force=True)
            client.close()

    def _require_same(self, client: Any, wanted: Checkout) -> None:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise ExecutorError(f"the scheduler at {self.address} has no worker yet")
        for address, worker in workers.items():
            if worker["nthreads"] != 1:
                raise ExecutorError(
                    f"worker {address} must have 1 thread (--nthreads 1), got {worker['nthreads']}"
                )
        for address, found in client.run(_checkout, on_error="return").items():
            if not isinstance(found, Checkout):
                raise ExecutorError(f"worker {address} must run in a checkout, it says: {found}")
            _require(wanted, found, address)


@functools.cache
def _started() -> Checkout:
    """The conditions of this process when it was first asked, which it may have imported since."""
    return Checkout.here()


def _checkout() -> Checkout:
    started, now = _started(), Checkout.here()
    if now != started:
        raise ExecutorError("its checkout has changed since it was started: start it again")
    return now


def _require(wanted: Checkout, found: Checkout, address: str) -> None:
    difference = wanted.differs(found)
    if difference:
        raise ExecutorError(
            f"worker {address} must have the checkout and the tools of this machine, "
            f"got {difference}"
        )


def _in_checkout(wanted: Checkout, call: Call) -> Any:
    """A job on a worker, which may have come since the others were asked."""
    import distributed

    _require(wanted, _checkout(), distributed.get_worker().address)
    os.environ[BESIDE_OTHERS] = "1"
    return call()
