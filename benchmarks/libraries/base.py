"""What a library's process can be asked to do. A library overrides what it can; the rest is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from benchmarks.sequence_works import Recurrent
from benchmarks.works import Net, Samples, Weights

Call = Callable[[], Any]


class LeftOutError(Exception):
    """The library, or this setting of it, does not do this; the message says why."""


class Training:
    """Training of one network on samples in memory, again and again from the same start."""

    def restart(self, weights: Weights) -> None:
        """Go back to start weights and an optimizer without memory."""
        raise NotImplementedError

    def set_rate(self, lr: float) -> None:
        """Change the learning rate; for the epochs from now on."""
        raise NotImplementedError

    def train(self, epochs: int, shuffle: bool) -> None:
        """Train as a user does; `shuffle` takes the samples in a new order in every epoch."""
        raise NotImplementedError

    def first_loss(self, n: int) -> float:
        """Train on the first n samples as they lie; return the mean of the batches' losses, each before its step."""
        raise NotImplementedError

    def weights(self) -> Weights:
        """Return what has been learned, always in the same order."""
        raise NotImplementedError

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Return the network's outputs for rows of X."""
        raise NotImplementedError


class Building:
    """A call that builds a network and gives its numbers, weight and bias of a layer after the other.

    Only `build` is timed. What is built is needed up to the last number, so nothing can be put off until it is used.
    """

    def __init__(self, build: Callable[[], Any], numbers: Callable[[Any], Iterable[np.ndarray]]) -> None:
        self.build, self.numbers = build, numbers

    def __call__(self) -> np.ndarray:
        return np.concatenate([np.asarray(array).ravel() for array in self.numbers(self.build())])

    def run(self, n: int) -> None:
        for _ in range(n):
            self.build()


class Stepping:
    """A call that takes a network through a sequence step by step, and gives the outputs at each of them.

    Only steps are timed. A step needs the state that the one before it gave, so none can be put off or left out.

    Parameters
    ----------
    begin : callable
        Returns the state before the first step.
    step : callable
        ``step(x, state)`` returns an output and the next state.
    xs : sequence
        The steps of a sequence, in the library's own form.
    inside : callable
        Returns a context that is entered once for all steps.
    """

    def __init__(
        self,
        begin: Callable[[], Any],
        step: Callable[[Any, Any], tuple[Any, Any]],
        xs: Sequence[Any],
        inside: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.begin, self.step, self.xs, self.inside = begin, step, xs, inside

    def __call__(self) -> np.ndarray:
        outputs, state = [], self.begin()
        with self.inside():
            for x in self.xs:
                y, state = self.step(x, state)
                outputs.append(np.array(y).ravel())  # a copy: the next step may write to the same place
        return np.stack(outputs)

    def run(self, n: int) -> None:
        x, step, state = self.xs[0], self.step, self.begin()
        with self.inside():
            for _ in range(n):
                _, state = step(x, state)


class Library:
    """A library at its best settings, on so many threads; with 0 on as many as it takes by itself.

    The calls that the methods return do one product, activation, prediction, sequence of steps or building each, and
    return its result: an array, or what `np.asarray` makes one.
    """

    tolerance = 1e-4  # relative: what float32 may lose in a step or an output; a setting that computes in less has more

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def about(self) -> str:
        """Return version and settings."""
        raise NotImplementedError

    def matmul(self, a: np.ndarray, b: np.ndarray) -> Call:
        """Return a call that multiplies two matrices into an array that exists already."""
        raise LeftOutError("it has no product for this comparison")

    def activation(self, name: str, x: np.ndarray) -> Call:
        """Return a call that applies relu, tanh, sigmoid or softmax (along rows)."""
        raise LeftOutError("it has no activations for this comparison")

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        """Return a call that predicts for the rows of x."""
        raise LeftOutError("it has no prediction for this comparison")

    def stepping(self, net: Recurrent, weights: Weights, x: np.ndarray) -> Stepping:
        """Return a call that takes a recurrent layer through the steps of one sequence."""
        raise LeftOutError("it has no steps for this comparison")

    def building(self, net: Net) -> Building:
        """Return a call that builds a network with start values of its own."""
        raise LeftOutError("it builds no network for this comparison")

    def training(self, net: Net, samples: Samples) -> Training:
        """Return a training that is ready to be restarted."""
        raise LeftOutError("it does not train here")
