"""Samples as the core takes them, from whatever was given, and what they have told on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _ends, _samples, _sequences, _targets
from nnext._compiled import Compiled
from nnext._decision import Decision, Output, Seen, decide
from nnext._engine import Engine
from nnext._objective import Data, objective
from nnext._samples import Samples
from nnext._sequences import Ragged

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Preparer:
    """Makes samples ready for one call of a model; what they tell holds for those that follow.

    Attributes
    ----------
    objective : CoreLoss or OwnLoss
    seen : Seen
    decision : Decision
        After the first samples.
    """

    decision: Decision
    _output: Output

    def __init__(self, engine: Engine, compiled: Compiled, seen: Seen, scale: float) -> None:
        self.objective = objective(engine, compiled)
        self.compiled, self.seen, self._engine, self._scale = compiled, seen, engine, scale

    def settle(
        self, operation: str, given: Samples, learn: bool = True, is_batch: bool = False, together: bool = False
    ) -> Samples:
        """Return samples whose targets are as the core takes them.

        A loss function of the user's gets its targets as they were given. The names in a batch need not be all of them.
        Sequences in a list become one array in a batch, and where samples are wanted `together`.
        """
        X = _sequences.as_samples(operation, self._engine, given.X)
        given = given._replace(X=X.padded() if (is_batch or together) and isinstance(X, Ragged) else X)
        given, ends = _ends.in_arrays(operation, self._engine, given)
        self._output = self._engine.output_of(given.X)
        own, y, seen = self.compiled.core_loss is None, given.y if ends is None else ends.valid(given.y), self.seen
        if is_batch and not own and seen.classes is None and (name := _targets.first_name(y)) is not None:
            raise ValueError(
                f"[{operation}] y has names, such as {name!r}, but the model has seen none yet, and a batch need not "
                "have all; give numbers, or fit arrays first"
            )
        if not own or _has_numbers(y):
            y, seen = _targets.settle(operation, y, self.decide, seen)
        if learn:
            self.seen = seen
            self.decision = self.decide(seen)
        settled = given if own else given._replace(y=y)
        return _samples.sequences(operation, settled) if isinstance(given.X, Ragged) else settled

    def weigh(self, samples: Samples, class_weight: Mapping[Any, float] | str | None) -> Samples:
        """Add what the classes of settled samples multiply the weights by."""
        ends = None if class_weight is None else _ends.ends(self._engine, samples.X, samples.rows)
        counts = None if ends is None or not self.decision.space else ends.that_count(self.decision.space[0])
        return _samples.weigh(samples, class_weight, self.decision, counts)

    def decide(self, seen: Seen) -> Decision:
        """Return what the network decides for such samples as were settled last."""
        return decide(self._engine.layers, self._output, self.compiled.core_loss, seen)

    def data(self, operation: str, samples: Samples, keep_outputs: bool = False) -> Data:
        """Let the core look at samples that are settled."""
        return self.objective.data(self.counted(operation, samples), operation, self._scale, keep_outputs)

    def counted(self, operation: str, samples: Samples) -> Samples:
        """Return what counts of settled samples."""
        loss = self.compiled.core_loss
        return samples if loss is None else _samples.counted(operation, samples, loss.any_target)


def _has_numbers(y: Any) -> bool:
    array = y if isinstance(y, np.ndarray) else np.asarray(y)
    return array.dtype.kind in "biuf"
