"""What all update rules have in common."""

from __future__ import annotations

from nnext._described import Described
from nnext._fields import number
from nnext.schedules import Schedule

__all__ = ["Optimizer"]


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

    lr: float | Schedule = number(settable=True, schedule=Schedule, low=0)
