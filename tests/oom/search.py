"""Fail each allocation of an operation in turn, in a child process each, and compare what is left."""

import contextlib
import hashlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import internals
import nnext as nn
from oom.failing import Failing
from oom.operations import Operation, goes_on

PATIENCE = 120  # seconds that a child may take


class Tried(NamedTuple):
    """What a child says of one try."""

    counted: int  # allocations, until it ended
    ended: str  # by the name of the exception; "" where there was none
    wrong: str


def digest(thing: Any) -> str:
    """Return a short text that two things share if they are the same to the bit."""
    return hashlib.sha256(b"".join(_bytes(thing))).hexdigest()[:16]


def _bytes(thing: Any) -> Iterator[bytes]:
    if isinstance(thing, nn.Sequential):
        settings = thing.optimizer, internals.settings(thing), sorted(internals.frozen(thing)), thing.seen
        yield repr(settings).encode()
        yield from _bytes(internals.training_state(thing))
    elif isinstance(thing, dict | nn.History):
        for name, value in (thing.history if isinstance(thing, nn.History) else thing).items():
            yield str(name).encode()
            yield from _bytes(value)
    elif isinstance(thing, tuple | list):
        for part in thing:
            yield from _bytes(part)
    else:
        yield np.asarray(thing).tobytes() if thing is not None else b""


class Search:
    """One operation, and what each of its endings must lead to."""

    def __init__(self, operation: Operation, failing: Failing, any_error: bool = False) -> None:
        self._call, self._failing, self._any_error = operation.call, failing, any_error
        done, self._model = operation.make(), operation.make()
        self._result = digest(operation.call(done))
        self._done = digest(done)
        self._next = {self._done: _after(done)}  # what the next fit makes of each state in which it may end
        for lead in (lambda model: None, *operation.between):
            model = operation.make()
            lead(model)
            now = digest(model)
            self._next[now] = _after(model)

    def count(self) -> int:
        """Return how many allocations the operation makes."""
        tried = self.try_at(2**40)
        assert not tried.wrong, tried.wrong
        return tried.counted

    def try_at(self, number: int) -> Tried:
        """Fail at an allocation, in a child."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(PATIENCE)
                os.write(write, json.dumps(self._try(number)).encode())
            finally:
                os._exit(0)
        os.close(write)
        with open(read, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        if status != 0 or not said:
            return Tried(number, "", f"the process ended with {os.waitstatus_to_exitcode(status)}")
        return Tried(*json.loads(said))

    def _try(self, number: int) -> Tried:
        error: BaseException | None = None
        result = None
        try:
            self._failing.start(number)
            result = self._call(self._model)
        except BaseException as raised:
            error = raised
        counted = self._failing.stop()
        try:
            wrong = self._wrong(error, result)
        except BaseException:
            wrong = f"not usable: {traceback.format_exc(limit=-2)}"
        return Tried(counted, "" if error is None else type(error).__name__, wrong)

    def _wrong(self, error: BaseException | None, result: Any) -> str:
        """Say what is not as it must be; else nothing."""
        if error is not None and not self._any_error and not isinstance(error, MemoryError):
            return "".join(traceback.format_exception(error, limit=-2))
        now = digest(self._model)
        if error is None and (digest(result), now) != (self._result, self._done):
            return "it succeeded with another result"
        if now not in self._next:
            return "the model is changed"
        if _after(self._model) != self._next[now]:
            return "the next fit has other bits"
        return ""


def _after(model: nn.Sequential) -> str:
    goes_on(model)
    return digest(model)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let children say nothing of exceptions that nobody can catch, as in a destructor."""
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    yield
    sys.unraisablehook = before
