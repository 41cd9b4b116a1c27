"""Errors that a caller may want to catch by name."""

from __future__ import annotations


class DivergenceError(ArithmeticError):
    """A loss or a weight became NaN or infinite. The model is back at the last step whose loss was finite.

    Attributes
    ----------
    epoch, step : int
        Where it was noticed, both counted from 0; the step within the epoch.
    lr : float
        The learning rate of that step; after the last step of an epoch that of the last.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1), seed=1)
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=1e30))
    >>> try:
    ...     history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=5, verbose=0)
    ... except nn.DivergenceError as error:
    ...     print(error.lr)
    1e+30
    """

    def __init__(self, epoch: int, step: int, lr: float) -> None:
        super().__init__(
            f"[fit] the loss or a weight became NaN or infinite in epoch {epoch}, step {step}, with lr={lr:g}; the "
            "model is back at the last step whose loss was finite. Try a smaller learning rate, or scale the data"
        )
        self.epoch, self.step, self.lr = epoch, step, lr

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[int, int, float]]:
        return type(self), (self.epoch, self.step, self.lr)


class ModelFormatError(ValueError):
    """A model file cannot be used; the message says why.

    Examples
    --------
    >>> issubclass(ModelFormatError, ValueError)
    True
    """
