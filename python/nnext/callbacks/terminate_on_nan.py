"""The callback that lets a fit that diverges end like any other."""

from __future__ import annotations

from nnext.callbacks.base import CheckedCallback
from nnext.errors import DivergenceError


class TerminateOnNaN(CheckedCallback):
    """Lets a fit that diverges return its history, in place of a `DivergenceError`.

    As soon as a loss or a weight is NaN or infinite every fit ends, with the model back at the last step whose loss was
    finite. With this callback it returns what it has: ``history.stop_reason`` says where it diverged, the epoch of that
    step has no entry, and other callbacks finish their work, as `EarlyStopping` gives the best weights back.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1), seed=1)
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=1e10))
    >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=99, callbacks=nn.TerminateOnNaN(), verbose=0)
    >>> history.stop_reason
    'TerminateOnNaN in epoch 2, step 0: the loss or a weight became NaN or infinite with lr=1e+10'
    """

    def on_divergence(self, error: DivergenceError) -> bool:
        """Say where it was."""
        history = self.model.history
        history.stop_reason = history.stop_reason or (
            f"TerminateOnNaN in epoch {error.epoch}, step {error.step}: the loss or a weight became NaN or infinite "
            f"with lr={error.lr:g}"
        )
        return True
