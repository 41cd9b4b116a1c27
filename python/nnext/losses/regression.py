"""Losses of numbers."""

from __future__ import annotations

from nnext._fields import number
from nnext.losses.base import Loss

__all__ = ["MAE", "MSE", "Huber", "LogCosh", "Quantile"]


class MSE(Loss):
    """Mean squared error over samples and outputs, ``mean((y_pred - y)^2)``.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.MSE())
    >>> model.evaluate([[1.0], [2.0]], [1.0, 4.0])
    {'loss': 2.0}
    """

    name = "mse"


class MAE(Loss):
    """Mean absolute error over samples and outputs, ``mean(abs(y_pred - y))``: least for the median.

    Where ``y_pred == y`` its gradient is 0. PyTorch's ``L1Loss``.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.MAE())
    >>> model.evaluate([[1.0], [2.0]], [1.0, 4.0])
    {'loss': 1.0}
    """

    name = "mae"


class Huber(Loss):
    """The mean of ``d^2 / 2`` where ``d = abs(y_pred - y) <= delta``, and of ``delta (d - delta / 2)`` elsewhere.

    A squared error that goes on as a straight line: targets that are far off pull no harder than `delta`. Huber, Annals
    of Mathematical Statistics 35 (1964); PyTorch's ``HuberLoss``.

    Parameters
    ----------
    delta : float
        Where the line begins, > 0.

    Raises
    ------
    ValueError, TypeError
        Unless delta is a finite number greater than 0.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.Huber(delta=1.0))
    >>> model.evaluate([[0.5], [100.0]], [0.0, 0.0])  # 0.125 and 99.5
    {'loss': 49.8125}
    """

    name = "huber"

    delta: float = number(default=1.0, above=0)


class LogCosh(Loss):
    """The mean of ``log(cosh(d))`` with ``d = y_pred - y``: about ``d^2 / 2`` near 0, ``abs(d) - log(2)`` far from it.

    It is computed without overflow, and without losing small distances beside 1.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity(), dtype="float64")
    >>> model.compile(loss=nn.LogCosh())
    >>> round(1e12 * model.evaluate([[1e-6]], [0.0])["loss"], 9), round(model.evaluate([[1000.0]], [0.0])["loss"], 4)
    (0.5, 999.3069)
    """

    name = "log_cosh"


class Quantile(Loss):
    """The mean of ``max(q (y - y_pred), (1 - q) (y_pred - y))``: least where a share q of the targets lies below.

    So two networks, or two losses in turn, give an interval: q=0.05 and q=0.95 enclose nine targets in ten. Known as
    pinball loss. Where ``y_pred == y`` its gradient is 0; with q=0.5 it is half of `MAE`. Koenker and Bassett,
    Econometrica 46 (1978).

    Parameters
    ----------
    q : float
        Which quantile, between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        Unless q is a number between 0 and 1, neither of them included.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.Quantile(q=0.75))
    >>> model.evaluate([[0.0]], [2.0]), model.evaluate([[2.0]], [0.0])  # too low costs three times as much as too high
    ({'loss': 1.5}, {'loss': 0.5})
    """

    name = "quantile"

    q: float = number(default=0.5, above=0, below=1)
