"""The passes of a network in the C++ core: what `Engine` does with samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from nnext.layers import Layer
from nnext.losses import Loss
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext._core import Network32, Network64

    Array = npt.NDArray[Any]

# (outputs, rows of the samples) -> (loss, gradient), or also what settings of the optimizer are from this step on
HostLoss = Callable[[Any, Any], tuple[float, Any] | tuple[float, Any, dict[str, float]]]


_T = TypeVar("_T")
_GONE = object()
_numbers = count(1)


class Passes:
    """What trains a network and asks it, by arrays. Checks of arrays are the core's."""

    layers: tuple[Layer, ...]
    _core: Network32 | Network64
    _records: dict[int, Any]  # by the numbers that the core has for what was compiled; its own says which one holds

    # ---- training -----------------------------------------------------------------------------------------------

    def check_precision(self, precision: str) -> None:
        """Raise ValueError where products cannot be computed in that precision."""
        if precision == "bf16":
            self._core.find_bf16()

    def compile(
        self,
        loss: Loss | None,
        optimizer: Optimizer,
        *,
        precision: str = "float32",
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        ema: float | None = None,
        lr_scale: Sequence[float] = (),
        record: object = None,
    ) -> None:
        """Take a loss, None where it is computed outside, and an optimizer, which starts afresh.

        `lr_scale` has a factor on its rate for each tensor; none: 1. `record` is kept with it: from the moment in which
        the core has changed, and no sooner, `record` gives it.
        """
        described = None
        if loss is not None:
            fused = loss.fused(type(self.layers[-1]).__name__)
            described = (fused or loss).config() | {"type": (fused or loss).name, "with_last_layer": fused is not None}
        clip = clip_norm or 0.0, clip_value or 0.0
        number = next(_numbers)
        self._records[number] = record  # whoever sees the core's number finds it
        self._core.compile(
            described, optimizer.rule(), precision, *clip, accumulate, ema or 0.0, list(lr_scale), number
        )
        for old in list(self._records):  # greater ones are those of other threads, whose turn comes
            if 0 < old < number:
                self._records.pop(old, None)

    @property
    def record(self) -> Any:
        """What `compile` was given last with what it took; None before."""
        return self._with_record(lambda: (None, self._core.compilation()))[1]

    def _with_record(self, read: Callable[[], tuple[_T, int]]) -> tuple[_T, Any]:
        """Return what is read, with the record of what was compiled then."""
        while True:
            found, number = read()
            record = self._records.get(number, _GONE)
            if record is not _GONE:  # else another thread has compiled since
                return found, record

    def samples(
        self, X: Any, y: npt.ArrayLike | None, weight: Any, operation: str, scale: float, rows: Array | None = None
    ) -> Any:
        """Return samples, checked, for `fit_epoch`, `evaluate` and `loss_and_gradients`: an object with `rows`.

        With a loss of the user's there is no y for the core. Of X only `rows` are looked at, if some are given.
        """
        return self._core.samples(X, y, weight, operation, scale, rows)

    def claim_fit(self, keeps: bool = False) -> AbstractContextManager[None]:
        """Return what a `with` keeps other fits away by; entered while there is one, it raises RuntimeError.

        At its end memory is freed, or the fit `keeps` it for another of its kind.
        """
        return self._core.claim_fit(keeps)

    def require_record(self, record: Any, operation: str) -> None:
        """Raise RuntimeError unless what was compiled last is what an operation has begun with."""
        if self.record is not record:
            message = f"[{operation}] the model was compiled anew while the call began; call {operation} again"
            raise RuntimeError(message)

    def fit_epoch(
        self,
        samples: Any,
        outputs: Any,
        batch_size: int,
        shuffle: bool,
        settings: dict[str, float | Array],
        loss: HostLoss | None = None,
        seconds: float | None = None,
    ) -> tuple[float, int, bool, bool]:
        """Go through all samples once; return the loss, the number of steps, whether it diverged, and ended early.

        `settings` of the optimizer have one value, or one for each step. What `loss` gives holds from its step on. It
        ends early after the step in which `seconds` are over, if it has more.
        """
        return self._core.fit_epoch(samples, outputs, batch_size, shuffle, settings, loss, seconds)

    def fit_batch(
        self, samples: Any, outputs: Any, settings: dict[str, float], steps: int, loss: HostLoss | None = None
    ) -> tuple[float, int, bool]:
        """Take one step with all samples, of an epoch that has so many, 0 where nobody knows.

        Return the loss, the number of steps, and whether it diverged.
        """
        return self._core.fit_batch(samples, outputs, settings, steps, loss)

    def team_use(self) -> tuple[float, float]:
        """Return the operations of all fits so far, and their sum times the members of the team that did each."""
        return self._core.team_use()

    def begin_epoch(self, samples: int, shuffle: bool) -> Array:
        """Count an epoch and return the order of its samples."""
        return self._core.begin_epoch(samples, shuffle)

    def forward(self, X: npt.ArrayLike, training: bool, scale: float) -> Array:
        """Return the outputs, and remember what `backward` needs."""
        return self._core.forward(X, training, scale)

    def backward(self, dY: npt.ArrayLike) -> Array:
        """Compute all gradients; return that of the input."""
        return self._core.backward(dY)

    def loss_and_gradients(self, samples: Any) -> float:
        """Return the loss, and compute all gradients."""
        return self._core.loss_and_gradients(samples)

    def step(self, settings: dict[str, float]) -> None:
        """Change the parameters along the gradients, by an optimizer with these settings."""
        self._core.step(settings)

    # ---- predictions --------------------------------------------------------------------------------------------

    def evaluate(self, samples: Any) -> tuple[float, Array]:
        """Return the loss and the outputs."""
        return self._core.evaluate(samples)

    def outputs(self, samples: Any) -> Array:
        """Return the outputs."""
        return self._core.outputs(samples)
