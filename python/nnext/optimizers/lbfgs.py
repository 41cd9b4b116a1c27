"""Steps that look at the loss in several places."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import number, size
from nnext.optimizers.base import Optimizer
from nnext.schedules import Schedule

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: Newton's method with a Hessian told from the last changes of weights and gradient. Liu and Nocedal, 1989.

    Each step takes up to `max_iter` iterations on one batch. An iteration goes along ``-H g``, by two loops over the
    last `history_size` changes (Nocedal and Wright, Numerical Optimization, algorithm 7.4), as far as the strong Wolfe
    conditions say (algorithms 3.5 and 3.6), for which it looks at the loss and its gradient in several places. The same
    as PyTorch's LBFGS with ``line_search_fn="strong_wolfe"``. For small networks and few samples it comes closer to a
    minimum than any other rule here.

    It wants all samples at once, or large batches: without a batch_size `fit` takes all. Of a step that is interrupted
    nothing remains. The loss of an epoch is that before the step. Dropout drops the same elements wherever a step
    looks.

    Parameters
    ----------
    lr : float or Schedule
        How far along the direction the search begins; 1 suits the method.
    max_iter : int
        Iterations a step.
    max_eval : int, optional
        How often a step looks at the loss, before another iteration is begun; by default 5/4 of `max_iter`.
    tolerance_grad : float
        A step ends where no element of the gradient is larger.
    tolerance_change : float
        A step ends where neither weights nor loss change by more.
    history_size : int
        How many changes are kept, 1 to 1000: two numbers each beside every weight.
    weight_decay : float or Schedule
        Adds ``weight_decay * w`` to the gradient, >= 0, and ``weight_decay / 2 * sum(w^2)`` to what is minimized.
    l1 : float
        0: what is minimized must have a gradient everywhere.
    lr_scale : mapping of str to float
        Empty: all weights go along one direction.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    A straight line through four points, found in one step:

    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.LBFGS())
    >>> history = model.fit([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0], epochs=1, verbose=0)
    >>> model.predict([10.0, 20.0]).round(4)
    array([[21.],
           [41.]])
    """

    name = "lbfgs"
    batch_size = None

    lr: float | Schedule = number(default=1.0, settable=True, schedule=Schedule, low=0)
    max_iter: int = size(default=20)
    _: KW_ONLY
    max_eval: int | None = size(default=None, optional=True)
    tolerance_grad: float = number(default=1e-7, low=0)
    tolerance_change: float = number(default=1e-9, low=0)
    history_size: int = size(default=10, high=1000)
    l1: float = number(default=0.0, low=0, high=0)

    def check(self) -> None:
        """Refuse rates of layers."""
        if self.lr_scale:
            raise ValueError(
                f"[LBFGS] lr_scale is {self.lr_scale!r}, but all weights go along one direction; leave it out, or "
                "freeze layers"
            )
