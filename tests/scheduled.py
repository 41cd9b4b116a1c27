"""Trainings with a schedule, and the same by hand with a number for each step."""

from typing import Any

import numpy as np

import internals
import nnext as nn
from small_fits import regressor

ROWS, BATCH = 22, 5  # five steps an epoch
STEPS = 5
FIT: dict[str, Any] = {"batch_size": BATCH, "verbose": 0}
RATE = nn.Cosine(0.2, epochs=4, warmup=0.7, final=0.02)


def scheduled(**settings: Any) -> nn.Sequential:
    return regressor(**{"optimizer": nn.Adam(lr=RATE), **settings})


def rates(schedule: nn.Schedule, epochs: int, steps: int = STEPS) -> np.ndarray:
    return np.concatenate([schedule.values(epoch, steps) for epoch in range(epochs)])


def replay(model: nn.Sequential, X: np.ndarray, y: np.ndarray, given: np.ndarray, batch_size: int = BATCH) -> None:
    """Train by own loops with a number for each step."""
    optimizer: Any = model.optimizer
    lr = iter(given)
    for _ in range(len(given) // -(-len(X) // batch_size)):
        order = internals.begin_epoch(model, len(X), True)
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            optimizer.lr = next(lr)
            model.loss_and_grads(X[rows], y[rows])
            model.step()
