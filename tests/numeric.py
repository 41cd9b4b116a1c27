"""Numeric gradients, and outputs with targets that suit a loss."""

from collections.abc import Callable

import numpy as np

# Central differences with step h are off by about h^2 (the curve) + eps / h (rounding): least near eps^(1/3).
STEP = np.finfo(np.float64).eps ** (1 / 3)
NUMERIC = 100 * STEP**2  # 4e-9; the third derivatives here stay below 100


def numeric_grad(f: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    grad = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += STEP
        down[i] -= STEP
        grad[i] = (f(up) - f(down)) / (up[i] - down[i])
    return grad


def example(loss: str, rng: np.random.Generator, rows: int = 5, outputs: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return an output and targets that suit a loss."""
    y_pred = rng.normal(size=(rows, outputs))
    if loss == "cross_entropy":
        return y_pred, rng.integers(outputs, size=rows)
    if loss == "bce":
        y_pred = rng.uniform(0.1, 0.9, size=(rows, outputs))
    y = rng.uniform(size=(rows, outputs))
    if loss == "kl_div":
        y /= y.sum(axis=1, keepdims=True)
    return y_pred, np.where(y > 0.5, 1, -1) if loss == "hinge" else y
