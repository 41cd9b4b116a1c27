"""L-BFGS: steps along the gradient times the inverse of a Hessian that is told from the last changes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnext.reference.arrays import Array

__all__ = ["LBFGS"]

Arrays = dict[str, Array]
Look = Callable[[], tuple[float, Arrays]]


class Trial(NamedTuple):
    """A point along a direction: how far, and the loss and its slope there."""

    t: float
    loss: float
    slope: float


class LBFGS:
    """L-BFGS with a strong Wolfe search (Liu and Nocedal, 1989; Nocedal and Wright, 2006, algorithms 3.5, 3.6, 7.4).

    Parameters
    ----------
    lr : float
        How far along a direction the search begins.
    max_iter : int
        Iterations a step.
    max_eval : int, optional
        Looks at the loss, after which a step begins no iteration; by default 5/4 of `max_iter`.
    tolerance_grad, tolerance_change : float
        A step ends where no element of the gradient is larger, and where weights or loss change by no more.
    history_size : int
        How many changes are kept.
    weight_decay : float
        Minimizes the loss and ``weight_decay / 2 * sum(w^2)``.

    Examples
    --------
    >>> w, scales = {"w": np.array([3.0, -2.0])}, np.array([1.0, 10.0])
    >>> LBFGS().minimize(w, lambda: (float(scales @ w["w"] ** 2), {"w": 2 * scales * w["w"]}))
    >>> bool((abs(w["w"]) < 1e-4).all())
    True
    """

    def __init__(
        self,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 10,
        weight_decay: float = 0.0,
    ) -> None:
        self.lr, self.max_iter, self.history_size, self.weight_decay = lr, max_iter, history_size, weight_decay
        self.max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        self.tolerance_grad, self.tolerance_change = tolerance_grad, tolerance_change
        self.changes: list[tuple[Array, Array]] = []  # of weights and gradient

    def minimize(self, parameters: Arrays, look: Look) -> None:
        """Change `parameters` in place to where their loss is less; `look` tells loss and gradients as they are.

        The last look is at where they have come to.
        """

        def at(x: Array) -> tuple[float, Array]:
            _put(x, parameters)
            loss, grads = look()
            gradient = np.concatenate([grads[name].ravel() for name in parameters])
            return loss + self.weight_decay / 2 * float(x @ x), gradient + self.weight_decay * x

        x = np.concatenate([w.ravel() for w in parameters.values()]).astype(float)
        loss, gradient = at(x)
        looks = 1
        for iteration in range(1, self.max_iter + 1):
            if abs(gradient).max() <= self.tolerance_grad:
                break
            d = self._direction(gradient)
            slope = float(gradient @ d)
            if slope > -self.tolerance_change:
                break
            search = Search(Trial(0.0, loss, slope), x, d, at, self.tolerance_change)
            found = search.begin(self.lr if self.changes else min(1.0, 1 / abs(gradient).sum()) * self.lr)
            looks += search.looks
            step = found.t * d
            new_loss, new_gradient = at(x + step)
            if found.t == 0:
                break
            if (new_gradient - gradient) @ step > 1e-10:
                self.changes = [*self.changes, (step, new_gradient - gradient)][-self.history_size :]
            change = abs(new_loss - loss)
            x, loss, gradient = x + step, new_loss, new_gradient
            if iteration == self.max_iter or looks >= self.max_eval:
                break
            if abs(step).max() <= self.tolerance_change or change < self.tolerance_change:
                break

    def _direction(self, gradient: Array) -> Array:
        """Return ``-H g`` by the two loops of algorithm 7.4."""
        d: Array = -gradient
        if not self.changes:
            return d
        alphas = []
        for s, y in reversed(self.changes):
            alphas.append(s @ d / (y @ s))
            d = d - alphas[-1] * y
        s, y = self.changes[-1]
        d = d * ((y @ s) / (y @ y))
        for (s, y), alpha in zip(self.changes, reversed(alphas), strict=True):
            d = d + (alpha - y @ d / (y @ s)) * s
        return d


class Search:
    """Along a direction to a point that meets the strong Wolfe conditions; the limits are PyTorch's."""

    decrease, flatness, rounds = 1e-4, 0.9, 25

    def __init__(
        self, start: Trial, x: Array, d: Array, at: Callable[[Array], tuple[float, Array]], tolerance: float
    ) -> None:
        self.start, self.x, self.d, self.at = start, x, d, at
        self.closest = tolerance / abs(d).max()
        self.looks = 0

    def look(self, t: float) -> Trial:
        """Look at the point t times the direction away."""
        self.looks += 1
        loss, gradient = self.at(self.x + t * self.d)
        slope = float(gradient @ self.d)
        return Trial(t, loss if math.isfinite(loss) and math.isfinite(slope) else math.inf, slope)

    def decreases(self, trial: Trial) -> bool:
        """Tell whether the loss is enough less."""
        return trial.loss <= self.start.loss + self.decrease * trial.t * self.start.slope

    def is_flat(self, trial: Trial) -> bool:
        """Tell whether the slope is enough less."""
        return abs(trial.slope) <= -self.flatness * self.start.slope

    def begin(self, t: float) -> Trial:
        """Go on until a wanted point lies between the last two: algorithm 3.5."""
        before, now = self.start, self.look(t)
        for left in range(self.rounds, 0, -1):
            if not self.decreases(now) or (left < self.rounds - 1 and now.loss >= before.loss):
                return self.narrow(before, now, left)
            if self.is_flat(now):
                return now
            if now.slope >= 0:
                return self.narrow(before, now, left)
            t = least_of_cubic(before, now, now.t + 0.01 * (now.t - before.t), 10 * now.t)
            before, now = now, self.look(t)
        return min(self.start, now, key=lambda trial: trial.loss)

    def narrow(self, a: Trial, b: Trial, rounds: int) -> Trial:
        """Come closer from both ends: algorithm 3.6."""
        low, high = (a, b) if a.loss <= b.loss else (b, a)
        near_before = False
        for _ in range(rounds):
            if abs(high.t - low.t) < self.closest:
                break
            left, right = sorted((low.t, high.t))
            edge, t = 0.1 * (right - left), least_of_cubic(low, high, left, right)
            near = min(right - t, t - left) < edge
            if near and (near_before or not left < t < right):
                t, near = (right - edge if abs(t - right) < abs(t - left) else left + edge), False
            near_before = near
            now = self.look(t)
            if not self.decreases(now) or now.loss >= low.loss:
                low, high = (low, now) if low.loss <= now.loss else (now, low)
                continue
            if self.is_flat(now):
                return now
            low, high = now, (low if now.slope * (high.t - low.t) >= 0 else high)
        return low


def least_of_cubic(a: Trial, b: Trial, low: float, high: float) -> float:
    """Return where the cubic through both points is least, within limits: equation 3.59."""
    a, b = sorted((a, b))
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not (square >= 0 and math.isfinite(square)):
        return (low + high) / 2
    d2 = math.sqrt(square)
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)), low), high)


def _put(x: Array, parameters: Arrays) -> None:
    start = 0
    for w in parameters.values():
        w[...] = x[start : start + w.size].reshape(w.shape)
        start += w.size
