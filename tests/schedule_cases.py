"""The table of schedules that the tests go through, each with its closed form: every type has a row here."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import nnext as nn
from tolerance import EXACT, exact

Array = np.ndarray


@dataclass(frozen=True)
class ScheduleCase:
    """A schedule, and its closed form in the widest type: of steps that begin and end at so many epochs."""

    schedule: nn.Schedule
    value: Callable[[Array, Array], Array]
    slope: float = 0.0  # the most that a value changes in an epoch, jumps not counted
    settles: bool = True  # in a million epochs


def _cosine(value: float, epochs: float, warmup: float = 0.0, final: float = 0.0) -> ScheduleCase:
    def exact_value(begin: Array, end: Array) -> Array:
        t = np.minimum((begin - warmup) / EXACT(epochs - warmup), 1)
        up = EXACT(value) * np.minimum(end / EXACT(warmup or 1), 1)
        down = final + EXACT(value - final) * (1 + np.cos(4 * np.arctan(EXACT(1)) * t)) / 2
        return np.where(begin < warmup, up, down)

    schedule = nn.Cosine(value, epochs, warmup=warmup, final=final)
    slopes = [abs(value) / warmup if warmup else 0, 2 * abs(value - final) / (epochs - warmup)]
    return ScheduleCase(schedule, exact_value, max(slopes))


def _falling(schedule: nn.Step | nn.Exponential) -> ScheduleCase:
    every = schedule.every if isinstance(schedule, nn.Step) else None

    def exact_value(begin: Array, end: Array) -> Array:
        return schedule.value * EXACT(schedule.gamma) ** (np.floor(begin / every) if every else begin)

    return ScheduleCase(schedule, exact_value, 0.0 if every else -schedule.value * math.log(schedule.gamma))


def _inv_scaling(value: float, power: float, per_epoch: float) -> ScheduleCase:
    def exact_value(begin: Array, end: Array) -> Array:
        return value / (1 + EXACT(per_epoch) * begin) ** EXACT(power)

    schedule = nn.InvScaling(value, power, per_epoch=per_epoch)
    return ScheduleCase(schedule, exact_value, value * power * per_epoch, settles=False)


def _piecewise(boundaries: list[float], values: list[float]) -> ScheduleCase:
    def exact_value(begin: Array, end: Array) -> Array:
        stretches = [begin < boundary for boundary in boundaries]
        return np.select(stretches, exact(values[:-1]), EXACT(values[-1]))

    return ScheduleCase(nn.Piecewise(boundaries, values), exact_value)


def _one_cycle(peak: float, epochs: float, pct_start: float = 0.3) -> ScheduleCase:
    """PyTorch's, which counts steps from 0: up to step ``pct_start n - 1`` of n, down to step n - 1."""
    first, last = peak / 25, peak / 25 / 1e4

    def between(start: float, stop: float, share: Array) -> Array:
        done = (1 - np.cos(4 * np.arctan(EXACT(1)) * np.minimum(share, 1))) / 2
        return EXACT(start) * (1 - done) + EXACT(stop) * done

    def exact_value(begin: Array, end: Array) -> Array:
        n, step = epochs / (end - begin), begin / (end - begin)
        top = pct_start * n - 1
        up = between(first, peak, step / np.where(top > 0, top, 1))
        return np.where(step <= top, up, between(peak, last, (step - top) / (n - 1 - top)))

    # Where an epoch has 7 steps, a part of at least half of the way up is left for them.
    return ScheduleCase(
        nn.OneCycle(peak, epochs, pct_start=pct_start),
        exact_value,
        2 * peak / epochs / min(1 - pct_start, pct_start / 2),
    )


SCHEDULES = {
    "constant": ScheduleCase(nn.Constant(0.1), lambda begin, end: np.full(begin.shape, EXACT(0.1))),
    "step": _falling(nn.Step(0.1, every=0.75, gamma=0.3)),
    "exponential": _falling(nn.Exponential(0.1, gamma=0.3)),
    "exponential_slow": _falling(nn.Exponential(0.1, gamma=0.95)),
    "inv_scaling": _inv_scaling(0.1, power=0.5, per_epoch=1.0),
    "inv_scaling_steps": _inv_scaling(0.1, power=1.25, per_epoch=8.0),
    "piecewise": _piecewise([0.5, 1.25, 3.0], [0.1, 0.2, 0.05, 0.01]),
    "one_cycle": _one_cycle(0.1, epochs=4.0),
    "one_cycle_late": _one_cycle(0.1, epochs=3.5, pct_start=0.75),
    "cosine": _cosine(0.1, epochs=4),
    "cosine_warmup": _cosine(0.1, epochs=3.5, warmup=0.75, final=0.01),
    "cosine_rising": _cosine(0.01, epochs=2, warmup=0.03, final=0.1),
}
