"""What all update rules have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import lru_cache
from typing import Any, ClassVar

from nnext._described import Described
from nnext._fields import factors, number, rule_of
from nnext.schedules import Schedule

__all__ = ["Optimizer"]


class Optimizer(Described, kind="optimizer"):
    """Base of the update rules.

    A number that may be a schedule, such as lr, may also be changed at any time, to either, and counts from the next
    epoch or ``step()`` on. Every other setting is fixed: compile with a new optimizer.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0: a number, or one of `nnext.schedules`, which gives each step of `fit` its own.
    weight_decay : float or Schedule
        Pulls weights towards 0, >= 0: adds ``weight_decay * w`` to the gradient, or is decoupled from it, as the rule
        says.
    l1 : float or Schedule
        Pulls weights towards 0 by the same force whatever their size, >= 0: adds ``l1 * sign(w)`` to the gradient,
        with sign(0) = 0. Tibshirani, 1996 (the lasso).
    lr_scale : mapping of str to float
        Factors >= 0 on lr by layers, named as for `freeze`: ``{"0": 0.1}``. Of the names that hold a layer the longest
        counts. With 0 a layer keeps its weights, but its running sums go on; `freeze` costs less.

    Notes
    -----
    A gradient is first clipped (`clip_norm`, then `clip_value` of `compile`), then l1 joins it, then weight_decay.

    Examples
    --------
    >>> import nnext as nn
    >>> optimizer = nn.Adam(lr=0.1, weight_decay=nn.Cosine(1e-2, epochs=10), lr_scale={"0": 0.1})
    >>> optimizer.lr /= 2
    >>> optimizer
    Adam(lr=0.05, weight_decay=Cosine(0.01, 10.0), lr_scale={'0': 0.1})
    """

    batch_size: ClassVar[int | None] = 32  # of a fit that is given none; None: all samples

    lr: float | Schedule = number(settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    weight_decay: float | Schedule = number(default=0.0, settable=True, schedule=Schedule, low=0)
    l1: float | Schedule = number(default=0.0, settable=True, schedule=Schedule, low=0)
    lr_scale: Mapping[str, float] = factors(default={}, example='{"0": 0.1}')

    def changing(self) -> dict[str, float | Schedule]:
        """Return the settings that each step may have anew.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.Adagrad(lr=0.1).changing()
        {'lr': 0.1, 'weight_decay': 0.0, 'l1': 0.0}
        """
        rule: Any = type(self)
        return {name: getattr(self, name) for name in _settable(rule)}

    def rule(self) -> dict[str, Any]:
        """Return what the core makes its rule of: the settings, and of a schedule the greatest value.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.SGD(lr=nn.Cosine(0.1, epochs=2)).rule()["lr"]
        0.1
        """
        start = {name: greatest(value) for name, value in self.changing().items()}
        return {name: value for name, value in self.config().items() if name != "lr_scale"} | start


@lru_cache
def _settable(rule: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(rule) if rule_of(field).settable)


def greatest(value: float | Schedule) -> float:
    """Return the greatest number that a setting can come near to."""
    return value.bounds()[1] if isinstance(value, Schedule) else value


def refuse_another_memory(operation: str, momentum: float | Schedule, value: float | Schedule) -> None:
    """Refuse a momentum that needs the velocities that are not kept, or needs them no longer."""
    if (greatest(momentum) > 0) != (greatest(value) > 0):
        kept = "no velocity is kept" if greatest(momentum) == 0 else "a velocity is kept"
        raise AttributeError(
            f"[{operation}] momentum cannot become {value!r}: {kept} with {momentum!r}; make a new "
            f"{operation}(momentum={value!r}) and compile again"
        )
