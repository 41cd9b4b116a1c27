"""The learning rate, for callbacks that set another."""

from __future__ import annotations

from typing import Any

from nnext.schedules import Schedule


def learning_rate(operation: str, model: Any) -> float:
    """Return the learning rate of a model; ValueError where a schedule gives it."""
    lr = model.optimizer.lr
    if isinstance(lr, Schedule):
        raise ValueError(
            f"[{operation}] the optimizer's lr is {lr!r}, which gives every step its own; set model.optimizer.lr to a "
            "number, or leave the callback out"
        )
    return float(lr)
