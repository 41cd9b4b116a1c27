"""Where sequences of different lengths end in what a network gives, and in the targets and weights beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext._engine import Engine
from nnext._samples import Samples
from nnext._sequences import Padded, Ragged, are_ragged

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Ends(NamedTuple):
    """How many steps of each output count.

    `axis` is that of the steps where there are channels, too: 1 in (n, steps, channels), 2 in (n, channels, steps).
    """

    counts: Array
    axis: int

    def has_steps(self, values: Array) -> bool:
        """Tell values for each step, of which there are enough."""
        return values.ndim > 1 and len(values) == len(self.counts) and self._steps(values) >= self.counts.max()

    def _steps(self, values: Array) -> int:
        return int(values.shape[self.axis if values.ndim > 2 else 1])

    def that_count(self, steps: int) -> Array:
        """Return whether each of so many steps counts: (n, steps)."""
        return np.asarray(np.arange(steps) < self.counts[:, None])

    def those_that_count(self, values: Array) -> Array:
        """Return what belongs to the steps that count, one after the other: (steps, ...)."""
        by_steps = np.moveaxis(values, self.axis, 1) if values.ndim > 2 else values
        return by_steps[self.that_count(self._steps(values))]

    def repeated(self, values: Array) -> Array:
        """Return a number of each sequence for each of its steps that count."""
        return np.repeat(values, self.counts, axis=0)

    def replaced(self, values: Array, by: Any) -> Array:
        """Return values with others in the steps after an end."""
        count = self.that_count(self._steps(values))
        others = tuple(axis for axis in range(1, values.ndim) if axis != (self.axis if values.ndim > 2 else 1))
        return np.where(np.expand_dims(count, others), values, by)

    def valid(self, y: Any) -> Any:
        """Return targets in which those after an end, which nobody compares, are those of the first step."""
        array = np.asanyarray(y)
        if not self.has_steps(array):
            return y  # the core says what is wrong
        return self.replaced(array, np.take(array, [0], self.axis if array.ndim > 2 else 1))


def ends(engine: Engine, X: Any, rows: Array | None = None) -> Ends | None:
    """Return where outputs end; None where they have no steps, or all of them count."""
    if not isinstance(X, Padded | Ragged):
        return None
    shape, lengths = tuple(X.shape[1:]), np.asarray(X.lengths if rows is None else X.lengths[rows])
    try:
        counts = engine.output_lengths(shape, lengths)
        return None if counts is None else Ends(counts, 2 if engine.output(shape).axis == 0 else 1)
    except ValueError:  # the core says what is wrong
        return None


def in_arrays(operation: str, engine: Engine, given: Samples) -> tuple[Samples, Ends | None]:
    """Return samples whose targets and weights of steps are arrays, and where their sequences end."""
    found = ends(engine, given.X)
    if found is None:
        return given, None
    y, weight = (
        _in_array(operation, name, found.counts, values)
        for name, values in (("y", given.y), ("sample_weight", given.weight))
    )
    array = np.asanyarray(weight)
    if isinstance(given.X, Ragged):
        _require_steps(operation, "y", found.counts, np.shape(y))
        if array.ndim > 1:
            _require_steps(operation, "sample_weight", found.counts, array.shape)
    if found.has_steps(array):
        weight = found.replaced(array, array.dtype.type(0))
    return given._replace(y=y, weight=weight), found


def _in_array(operation: str, name: str, counts: Array, values: Any) -> Any:
    """Return what is given for steps as one array, where it is a list for each sequence."""
    if not are_ragged(values):
        return values
    if len(values) != len(counts):
        raise ValueError(
            f"[{operation}] {name} has {len(values)} sequences but X has {len(counts)}; give both the same number"
        )
    for i, (steps, count) in enumerate(zip(values, counts, strict=True)):
        if len(steps) != count:
            raise ValueError(
                f"[{operation}] sequence {i} of {name} has {len(steps)} steps but the network gives {count} for that "
                f"of X; give one for each"
            )
    return Ragged(operation, values, name, kinds="biufUO").in_one_array()  # classes may have names


def _require_steps(operation: str, name: str, counts: Array, shape: tuple[int, ...]) -> None:
    """Refuse an array of other steps than the longest sequence has: the batches of a list are parts of it."""
    if len(shape) < 2 or shape[1] != counts.max():
        raise ValueError(
            f"[{operation}] {name} has shape {shape} but the network gives {counts.max()} steps for the longest "
            f"sequence of X; give a list with one for each step of each sequence, or an array ({len(counts)}, "
            f"{counts.max()})"
        )
