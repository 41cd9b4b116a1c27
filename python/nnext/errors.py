"""Errors that a caller may want to catch by name."""

from __future__ import annotations


class DivergenceError(ArithmeticError):
    """A loss or a weight became NaN or infinite. The model is back at the last step whose loss was finite.

    After `train_on_batch` it is where it was before the call, and `epoch` and `step` are those of its schedule.

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

    def __init__(
        self,
        epoch: int,
        step: int,
        lr: float,
        operation: str = "fit",
        back: str = "at the last step whose loss was finite",
    ) -> None:
        super().__init__(
            f"[{operation}] the loss or a weight became NaN or infinite in epoch {epoch}, step {step}, with lr={lr:g}; "
            f"the model is back {back}. Try a smaller learning rate, or scale the data"
        )
        self.epoch, self.step, self.lr = epoch, step, lr
        self._all = epoch, step, lr, operation, back

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[int, int, float, str, str]]:
        return type(self), self._all


class ModelFormatError(ValueError):
    """A model file cannot be used; the message says why.

    Examples
    --------
    >>> issubclass(ModelFormatError, ValueError)
    True
    """
