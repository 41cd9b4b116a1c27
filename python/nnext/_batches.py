"""Batches that are handed over: what counts as such, and how they are read."""

from __future__ import annotations

import _thread
import contextlib
import os
import queue
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np

from nnext._samples import Samples
from nnext._sequences import Padded, padded
from nnext._unknown import shown

_END = object()
_PATIENCE = 1.0  # seconds that a fit which has ended waits for an iterator that still makes a batch


def are_batches(given: Any) -> bool:
    """Tell batches, or a function that returns some, from samples: whatever NumPy takes for an array is samples."""
    if isinstance(given, list | tuple):
        return all(_is_batch(item) for item in given)
    if isinstance(given, Sequence | Mapping) or hasattr(given, "__array__") or hasattr(given, "shape"):
        return False
    return hasattr(given, "__iter__") or callable(given)


def handed_over(operation: str, X: Any, y: Any, sample_weight: Any) -> bool:
    """Tell whether a call was given batches, in place of X with y. TypeError where it has too little or too much."""
    if y is not None:
        if are_batches(X) and not isinstance(X, list | tuple):
            raise TypeError(f"[{operation}] y is given beside batches, which have targets of their own; leave it out")
        return False
    if not are_batches(X):
        raise TypeError(f"[{operation}] y is missing; write {operation}(X, y), or give batches: an iterable of (X, y)")
    if sample_weight is not None:
        raise TypeError(f"[{operation}] sample_weight is given beside batches; give batches (X, y, sample_weight)")
    return True


def _is_batch(item: Any) -> bool:
    """Tell (X, y) from a row of numbers: X has rows itself."""
    if not isinstance(item, list | tuple) or len(item) not in (2, 3):
        return False
    X = item[0]
    return _is_array(X) or (_is_sequence(X) and len(X) > 0 and (_is_sequence(X[0]) or _is_array(X[0])))


def _is_array(item: Any) -> bool:
    return hasattr(item, "shape") or hasattr(item, "__array__")


def _is_sequence(item: Any) -> bool:
    return isinstance(item, Sequence) and not isinstance(item, str | bytes)


class Batch(NamedTuple):
    """One batch, and what messages call it."""

    operation: str
    samples: Samples


class Batches:
    """Batches, read in passes: all of them, or as many as a pass has steps.

    What can be read once only, an iterator, goes on from pass to pass; everything else starts again.

    Parameters
    ----------
    operation : str
    given : iterable of batches, or function that returns one
        Batches are (X, y) or (X, y, sample_weight).
    passes, steps : int, optional
        How many passes there will be, and how long each is at most; without steps until the end.
    """

    def __init__(self, operation: str, given: Any, passes: int = 1, steps: int | None = None) -> None:
        self.once = isinstance(given, Iterator)
        self.operation, self._given, self._steps = operation, given, steps
        self._limit = None if steps is None else steps * (passes if self.once else 1)  # of a reading
        self._reading: Iterator[Any] | None = None
        self._next: list[Batch] = []
        self._count = 0  # in this pass

    @property
    def length(self) -> int | None:
        """How many there are, where what was given says it."""
        return len(self._given) if isinstance(self._given, Sized) else None

    def peek(self) -> Batch | None:
        """Return the batch that comes next, if there is one."""
        reading = self._reading or self._start()
        if not self._next:
            item = next(reading, _END)
            if item is _END:
                return None
            self._next.append(_batch(f"{self.operation}: batch {self._count}", item))
        return self._next[0]

    def read(self) -> Iterator[Batch]:
        """Go through a pass."""
        while self._count != self._steps and (batch := self.peek()) is not None:
            self._next.clear()
            self._count += 1
            yield batch
        self._count = 0
        if not self.once:
            self.close()

    def close(self) -> None:
        """Read no further."""
        reading, self._reading = self._reading, None
        self._next.clear()
        if isinstance(reading, _Ahead):
            reading.close()

    def _start(self) -> Iterator[Any]:
        given = self._given if isinstance(self._given, Iterable) else self._given()
        if not isinstance(given, Iterable):
            raise TypeError(
                f"[{self.operation}] the function gave {shown(given)}; it must return an iterator of batches: (X, y)"
            )
        self._count = 0
        if isinstance(given, list | tuple):
            self._reading = reading = islice(given, self._limit)
            return reading
        self._reading = ahead = _Ahead(iter(given), self._limit)
        ahead.start()  # from here on Ctrl-C finds what is to be closed
        return ahead


def _batch(operation: str, item: Any) -> Batch:
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise TypeError(f"[{operation}] it is {shown(item)}; give (X, y) or (X, y, sample_weight)")
    return Batch(operation, Samples(*item))


def _own(item: Any) -> Any:
    """Return a batch with copies of its arrays: an iterator may write the next one into the same."""
    if not isinstance(item, tuple | list):
        return item
    return tuple(map(_copied, item))


def _copied(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values.copy()
    if isinstance(values, Padded):
        return padded(_copied(values.values), values.lengths)
    if isinstance(values, list | tuple) and any(isinstance(each, np.ndarray) for each in values):
        return [_copied(each) for each in values]
    return values


class _Alive:
    """What a thread owns until it ends, however it does so."""


class _Ahead(Iterator[Any]):
    """Reads an iterator in a thread of its own, one item ahead: it works while the core trains.

    The thread ends, and closes the iterator, at the end of it or of the limit, with an error, and after `close`. It is
    none of threading.Thread, whose `start` waits for ever where there is no memory for the thread's first steps
    (https://github.com/python/cpython/issues/140746).
    """

    def __init__(self, iterator: Iterator[Any], limit: int | None) -> None:
        self._items: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        # Locks, which are C: what threading has in Python can end half-way without memory, and be held for ever.
        self._has_enough = threading.Lock()  # the thread, until its item is taken
        self._closed = self._ended = False
        self._process = os.getpid()
        self._iterator, self._limit = iterator, limit
        self._over = threading.Lock()  # until the iterator is closed
        self._thread: Callable[[], _Alive | None] = lambda: None

    def start(self) -> None:
        alive = _Alive()
        self._thread = weakref.ref(alive)
        self._over.acquire()
        _thread.start_new_thread(self._run, (alive,))

    def is_reading(self) -> bool:
        """Tell whether the thread is there, and in this process."""
        return self._over.locked() and self._thread() is not None and os.getpid() == self._process

    def _run(self, _: _Alive) -> None:
        try:
            self._read(self._iterator, self._limit)
        finally:
            self._over.release()

    def _read(self, iterator: Iterator[Any], limit: int | None) -> None:
        try:
            for _ in count() if limit is None else range(limit):
                self._has_enough.acquire()
                if self._closed:
                    return
                self._items.put((_own(next(iterator)), None))
            self._items.put((_END, None))
        except StopIteration:
            self._items.put((_END, None))
        except BaseException as error:  # also SystemExit: whoever waits has to hear of it
            self._items.put((_END, error))
        finally:
            if hasattr(iterator, "close"):
                iterator.close()

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        if os.getpid() != self._process:
            raise RuntimeError(
                "[fit] this process was forked in the middle of a fit, and the thread that reads its batches is not in "
                "it; fit in the process that began"
            )
        item, error = self._received()
        self._ended = item is _END
        if error is not None:
            raise error
        if self._ended:
            raise StopIteration
        self._has_enough.release()
        return item

    def _received(self) -> tuple[Any, BaseException | None]:
        """Wait for what the thread has read, unless it has ended: without memory it cannot even say so."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._items.get(timeout=1.0)
            if not self.is_reading() and self._items.empty():
                raise MemoryError("[fit] the thread that reads batches has ended without a word; there is no memory")

    def close(self) -> None:
        self._closed = self._ended = True
        if self._has_enough.locked():
            self._has_enough.release()
        if self.is_reading() and self._over.acquire(timeout=_PATIENCE):
            self._over.release()
