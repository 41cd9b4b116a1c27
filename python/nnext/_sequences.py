"""Sequences of different lengths as samples: arrays that are padded at their ends, and lists of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nnext._engine import Engine, Padded, as_array
from nnext._engine import padded as _padded
from nnext._unknown import shown

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = [
    "Padded",
    "Ragged",
    "are_ragged",
    "as_samples",
    "beside",
    "by_sequences",
    "in_one_array",
    "padded",
    "predict",
]

_T = TypeVar("_T")

_TOGETHER = 16  # batches whose sequences are sorted by length before they are parted
_PREDICTED_TOGETHER = 128  # sequences


def padded(X: Any, lengths: npt.ArrayLike | None = None) -> Padded:
    """Return sequences of different lengths as one array of samples, for whatever takes an X.

    What stands after the end of a sequence does not matter: its prediction has the bits that it has alone, and losses
    and metrics of steps are those of the steps that count.

    Parameters
    ----------
    X : array_like of shape (n, steps, features), or (n, steps) for an `Embedding`; or a list of n sequences
        Sequences (steps, features), or (steps,), each as long as it is; zeros are put behind the shorter ones.
    lengths : array_like of int of shape (n,), optional
        How many steps of each row of an array count, from 1 to its steps.

    Returns
    -------
    Padded
        With the attributes ``values``, an array, and ``lengths``.

    Raises
    ------
    ValueError, TypeError
        For lengths out of range, sequences without steps, or such as differ in their features; for an array without
        lengths, and a list with some.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> samples = nn.padded([np.ones((2, 3)), np.ones((5, 3))])
    >>> samples.values.shape, samples.lengths
    ((2, 5, 3), array([2, 5], dtype=uint32))
    >>> model = nn.Sequential(nn.GRU(3, 4))
    >>> alone = model.predict(np.ones((1, 2, 3)))
    >>> bool((model.predict(samples)[0] == alone[0]).all())
    True
    """
    if lengths is not None:
        return _with_lengths("padded", X, lengths)
    if isinstance(X, list | tuple) or are_ragged(X):
        return Ragged("padded", X).padded()
    if hasattr(X, "shape"):
        raise TypeError("[padded] X is one array, whose rows have one length; give lengths= beside it")
    raise TypeError(f"[padded] X is {shown(X)}; give a list of sequences, or an array with lengths= beside it")


def _with_lengths(operation: str, X: Any, lengths: npt.ArrayLike) -> Padded:
    """Return samples in one array with the lengths that are given for them."""
    if isinstance(X, Padded) or are_ragged(X):
        raise TypeError(f"[{operation}] lengths are given, but the sequences of X have theirs; leave lengths out")
    array = X if isinstance(X, np.ndarray) else as_array(X, operation, "X")
    if array.ndim < 2:
        raise ValueError(
            f"[{operation}] lengths are given but X has shape {array.shape}; they are for sequences, (samples, steps) "
            "or (samples, steps, features)"
        )
    return _padded(array, lengths, operation)


def are_ragged(X: Any) -> bool:
    """Tell sequences of different lengths from the rows of an array."""
    if isinstance(X, np.ndarray) and (X.dtype != object or X.ndim != 1):
        return False
    if not isinstance(X, list | tuple | np.ndarray) or len(X) == 0:
        return False
    if any(isinstance(item, str) or not hasattr(item, "__len__") for item in X):
        return False
    return any(len(item) != len(X[0]) for item in X)


def _has_features(sequence: Any) -> bool:
    """Tell a sequence (steps, features) from one of numbers, which may also be the features of a sample."""
    if hasattr(sequence, "ndim"):
        return bool(sequence.ndim > 1)
    return len(sequence) > 0 and hasattr(sequence[0], "__len__")


class Ragged:
    """Sequences in a list, of which some are padded when they are wanted."""

    def __init__(self, operation: str, X: Sequence[Any], name: str = "X", kinds: str = "biuf") -> None:
        if len(X) == 0:
            raise ValueError(f"[{operation}] {name} is a list without sequences; give at least one")
        self._sequences = [as_array(sequence, operation, f"sequence {i} of {name}") for i, sequence in enumerate(X)]
        first = self._sequences[0]
        for i, sequence in enumerate(self._sequences):
            if sequence.ndim == 0:
                raise TypeError(
                    f"[{operation}] {name} has the single number {X[i]} at {i}; give a sequence in its place"
                )
            if np.ma.is_masked(X[i]):
                raise TypeError(f"[{operation}] sequence {i} of {name} has masked values; fill or remove them first")
            if sequence.ndim != first.ndim or sequence.shape[1:] != first.shape[1:]:
                raise ValueError(
                    f"[{operation}] sequence {i} of {name} has shape {sequence.shape} but sequence 0 {first.shape}; "
                    "they may differ in their steps alone, the first axis"
                )
            if len(sequence) == 0:
                raise ValueError(f"[{operation}] sequence {i} of {name} has no steps; leave it out")
            if sequence.dtype.kind not in kinds:
                raise TypeError(f"[{operation}] sequence {i} of {name} has dtype {sequence.dtype}; give real numbers")
        self._operation = operation
        self._dtype = np.result_type(*{sequence.dtype for sequence in self._sequences})

    def __len__(self) -> int:
        return len(self._sequences)

    @cached_property
    def lengths(self) -> Array:
        """How many steps each has."""
        return np.array([len(sequence) for sequence in self._sequences])

    @property
    def shape(self) -> tuple[int, ...]:
        """That of all in one array."""
        return len(self), int(self.lengths.max()), *self._sequences[0].shape[1:]

    def padded(self, rows: Array | None = None) -> Padded:
        """Return some of them, or all, as one array with zeros behind the shorter ones."""
        chosen = list(range(len(self))) if rows is None else rows.tolist()
        return _padded(self._in_one_array(chosen), self.lengths[chosen], self._operation)

    def in_one_array(self) -> Array:
        """Return all in an array alone."""
        return self._in_one_array(list(range(len(self))))

    def _in_one_array(self, chosen: list[int]) -> Array:
        values = np.zeros((len(chosen), self.lengths[chosen].max(), *self.shape[2:]), self._dtype)
        for to, row in zip(values, chosen, strict=True):
            to[: len(self._sequences[row])] = self._sequences[row]
        return values

    def batches(self, order: Array, batch_size: int) -> Iterator[Array]:
        """Yield the rows of batches whose sequences are of about one length: a function of the order alone.

        Of so many batches that follow each other in the order the sequences are sorted by length, and the batches come
        in the order of those of their sequences that came first.
        """
        for begin in range(0, len(order), _TOGETHER * batch_size):
            some = order[begin : begin + _TOGETHER * batch_size]
            by_length = np.argsort(self.lengths[some], kind="stable")
            places = [by_length[first : first + batch_size] for first in range(0, len(some), batch_size)]
            for batch in sorted(places, key=min):
                yield some[batch]


def as_samples(operation: str, engine: Engine, X: Any, lengths: npt.ArrayLike | None = None) -> Any:
    """Return samples with the lengths that are given for them; a list of sequences of different lengths as such."""
    if lengths is not None:
        return _with_lengths(operation, X, lengths)
    return Ragged(operation, X) if are_ragged(X) and (engine.takes_steps or _has_features(X[0])) else X


def in_one_array(operation: str, engine: Engine, X: Any, lengths: npt.ArrayLike | None = None) -> Any:
    """Return samples that go through the network together."""
    X = as_samples(operation, engine, X, lengths)
    return X.padded() if isinstance(X, Ragged) else X


def beside(operation: str, engine: Engine, X: Any, y: Any, lengths: npt.ArrayLike | None) -> Any:
    """Return samples as `as_samples` does; batches, which have no y beside them, as they are."""
    if y is not None:
        return as_samples(operation, engine, X, lengths)
    if lengths is not None:
        raise TypeError(f"[{operation}] lengths are given beside batches; give batches (padded(X, lengths), y)")
    return X


def by_sequences(operation: str, rows: Array, ask: Callable[[Array], _T], numbers: Array | None = None) -> _T:
    """Return what some sequences in a list give; what is wrong with one of them is told with its number.

    `numbers` are those of all rows, where these are some of the sequences.
    """
    try:
        return ask(rows)
    except (TypeError, ValueError) as together:
        if not str(together).startswith(f"[{operation}]"):  # it is the network that does not take such
            raise
        for row in rows.tolist():
            try:
                ask(np.array([row]))
            except (TypeError, ValueError) as error:
                number = row if numbers is None else numbers[row]
                told = str(error).replace(f"[{operation}]", f"[{operation}: sequence {number}]", 1)
                raise type(error)(told) from None
        raise


def predict(operation: str, engine: Engine, X: Ragged, check: bool, scale: float) -> Any:
    """Return the outputs of sequences, computed some at a time: an array or, where they have steps, a list."""
    count, found = engine.output_lengths(X.shape[1:], X.lengths), {}

    def ask(rows: Array) -> Any:
        return engine.predict(X.padded(rows), None, check, scale)

    for rows in X.batches(np.arange(len(X)), _PREDICTED_TOGETHER):
        for row, output in zip(rows.tolist(), by_sequences(operation, rows, ask), strict=True):
            found[row] = output if count is None else output[: count[row]].copy()
    every = [found[row] for row in range(len(X))]
    return np.stack(every) if count is None else every
