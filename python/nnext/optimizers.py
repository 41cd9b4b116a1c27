"""Update rules. These objects hold the settings; the running sums are the model's own.

All follow PyTorch's definitions.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import TYPE_CHECKING, ClassVar

from nnext._described import Described
from nnext._fields import flag, number, pair, size
from nnext._unknown import attributes_of
from nnext.schedules import Schedule

__all__ = ["LBFGS", "SGD", "Adagrad", "Adam", "NAdam", "Optimizer"]


class Optimizer(Described, kind="optimizer"):
    """Base of the update rules.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0: a number, or one of `nnext.schedules`, which gives each step of `fit` its own. It may be
        changed at any time, to either, and counts from the next epoch or ``step()`` on. Every other setting is fixed:
        compile with a new optimizer.

    Examples
    --------
    >>> import nnext as nn
    >>> optimizer = nn.Adam(lr=0.1)
    >>> optimizer.lr /= 2
    >>> optimizer
    Adam(lr=0.05)
    """

    batch_size: ClassVar[int | None] = 32  # of a fit that is given none; None: all samples

    lr: float | Schedule = number(settable=True, schedule=Schedule, low=0)


class SGD(Optimizer):
    """Stochastic gradient descent: ``v = momentum * v + g; w -= lr * v``. Sutskever et al., 2013.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate.
    momentum : float
        0 <= momentum; 0 keeps no velocity.
    nesterov : bool
        Look ahead: ``w -= lr * (g + momentum * v)``. Needs momentum > 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[1.]]))
    """

    name = "sgd"

    lr: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)
    momentum: float = number(default=0.0, low=0)
    _: KW_ONLY
    nesterov: bool = flag(default=False)
    weight_decay: float = number(default=0.0, low=0)

    def check(self) -> None:
        """Refuse to look ahead along no velocity."""
        if self.nesterov and self.momentum == 0:
            raise ValueError("[SGD] nesterov needs momentum, which is 0; give momentum > 0, for example 0.9")


class Adam(Optimizer):
    """Adam: steps along the running mean of g, divided by the root of the running mean of g^2. Kingma and Ba, 2015.

    ``m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)``

    Parameters
    ----------
    lr : float or Schedule
        Learning rate.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.Adam(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "adam"

    lr: float | Schedule = number(default=1e-3, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.999), low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    weight_decay: float = number(default=0.0, low=0)


class NAdam(Optimizer):
    """Adam that looks ahead along its momentum, as Nesterov's does. Dozat, ICLR 2016 workshop.

    With ``mu_t = b1 (1 - 0.96^(t momentum_decay) / 2)``, ``M_t = mu_1 ... mu_t``, and m and v as in `Adam`,
    ``w -= lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps)``

    Parameters
    ----------
    lr : float or Schedule
        Learning rate.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.
    momentum_decay : float
        How quickly mu grows from ``b1 / 2`` to b1, >= 0.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.NAdam(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"].round(4)  # 0.1 of g / |g|, and the look ahead
    (array([[-10.]]), array([[0.1056]]))
    """

    name = "nadam"

    lr: float | Schedule = number(default=2e-3, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.999), low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    weight_decay: float = number(default=0.0, low=0)
    momentum_decay: float = number(default=4e-3, low=0)


class Adagrad(Optimizer):
    """Adagrad: ``s += g^2; w -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)``. Duchi, Hazan and Singer, 2011.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate.
    lr_decay : float
        >= 0.
    eps : float
        Keeps the quotient finite, > 0.
    initial_accumulator_value : float
        What s starts from, >= 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.Adagrad(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "adagrad"

    lr: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    lr_decay: float = number(default=0.0, low=0)
    eps: float = number(default=1e-10, above=0)
    initial_accumulator_value: float = number(default=0.0, low=0)
    weight_decay: float = number(default=0.0, low=0)


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
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient, and ``weight_decay / 2 * sum(w^2)`` to what is minimized.

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
    weight_decay: float = number(default=0.0, low=0)


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
