"""What `compile` accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnext.losses import CustomLoss, Loss
from nnext.metrics import Chosen
from nnext.optimizers import Optimizer


@dataclass(frozen=True)
class Compiled:
    """Everything that a training minimizes, follows and reports; only numbers of the optimizer's ever change."""

    loss: Loss | CustomLoss
    optimizer: Optimizer
    metrics: Mapping[str, Chosen]  # by the names that they have in History
    precision: str
    clip_norm: float | None = None  # of all gradients together; None: they are as long as they are
    clip_value: float | None = None  # of each element of them
    accumulate: int = 1  # batches of a step of a fit
    ema: float | None = None  # decay of the averages that predict; None: there are none

    @property
    def core_loss(self) -> Loss | None:
        """The loss, where it is one that the core computes."""
        return self.loss if isinstance(self.loss, Loss) and not callable(self.loss) else None


def require(compiled: Compiled | None, operation: str) -> Compiled:
    """Return it, or raise RuntimeError where there is none."""
    if compiled is None:
        raise RuntimeError(f"[{operation}] the model is not compiled; call compile(loss=..., optimizer=...) first")
    return compiled
