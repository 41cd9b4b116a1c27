"""nnext: the ordinary calls, with their checks of the arrays."""

from __future__ import annotations

from functools import singledispatch
from itertools import pairwise
from typing import Any

import numpy as np

import nnext as nn
from benchmarks.libraries.base import Building, Call, LeftOutError, Library, Stepping, Training
from benchmarks.sequence_works import Convolutional, Recurrent
from benchmarks.works import Net, Samples, Weights
from nnext import _core

CPUS = _core.usable_cpus()


class Use(Library):
    """nnext.

    Parameters
    ----------
    threads : int
    in_bytes : bool
        Train on bytes, which nnext scales on the way.
    precision : str
        Of the products, as `compile` takes it; empty for the default.
    compiled : bool
        Predict with what ``compile_inference`` returns.
    dropout : tuple of float
        Train with Dropout: the probabilities for the input and for each hidden layer.
    fixed_team : bool
        Have every call use as many threads as were asked for, whatever else the machine does.
    """

    def __init__(
        self,
        threads: int,
        in_bytes: bool = False,
        precision: str = "",
        compiled: bool = False,
        dropout: tuple[float, float] = (0.0, 0.0),
        fixed_team: bool = False,
    ) -> None:
        super().__init__(threads)
        self.in_bytes, self.precision, self.compiled, self.dropout = in_bytes, precision, compiled, dropout
        if precision:
            self.tolerance = 2e-2  # bf16 has 8 bits
        if any(dropout):
            self.tolerance = 5e-2  # what is dropped belongs to the loss
        if threads:
            nn.runtime.set_num_threads(threads)
        fix_team = getattr(_core, "fix_team", None)  # a version without it has no other team
        if fixed_team and fix_team:
            fix_team(True)  # a team that fits itself to the load would be compared with itself

    def about(self) -> str:
        return f"nnext {nn.__version__}, {nn.runtime.isa()}"

    def ceiling(self, dtype: str) -> float:
        """Return the FLOP/s of the FMA loop, on all threads that the machine has a CPU for."""
        return nn.runtime.fma_ceiling(dtype, threads=min(self.threads or CPUS, CPUS))

    def matmul(self, a: np.ndarray, b: np.ndarray) -> Call:
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
        return lambda: nn.functional.matmul(a, b, out=out)

    def activation(self, name: str, x: np.ndarray) -> Call:
        function = getattr(nn.functional, name)
        return lambda: function(x)

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        model = _model(net, weights)
        out = np.empty((len(x), net.sizes[-1]), np.float32)
        if not self.compiled:
            return lambda: model.predict(x, out=out)
        if not hasattr(model, "compile_inference"):
            raise LeftOutError("this version has no compile_inference")
        predictor: Any = model.compile_inference()
        return lambda: predictor(x, out=out)

    def stepping(self, net: Recurrent, weights: Weights, x: np.ndarray) -> Stepping:
        predictor: Any = _model(net, weights).compile_inference()
        return Stepping(predictor.reset, predictor.step, list(x))

    def building(self, net: Net) -> Building:
        sizes = list(net.sizes)
        return Building(lambda: nn.MLP(sizes, net.activation), lambda built: built.state_dict().values())

    def training(self, net: Net, samples: Samples) -> Training:
        return _Training(net, samples, self)


@singledispatch
def _layers(net: Net) -> nn.Sequential:
    model: nn.Sequential = nn.MLP(list(net.sizes), net.activation)
    return model


@_layers.register
def _recurrent(net: Recurrent) -> nn.Sequential:
    n_in, hidden, *outputs = net.sizes
    layers = [getattr(nn, net.cell)(n_in, hidden), *(nn.Linear(hidden, n) for n in outputs)]
    return nn.Sequential(*layers, input_shape=net.sample_shape)


@_layers.register
def _convolutional(net: Convolutional) -> nn.Sequential:
    *channels, outputs = net.sizes
    layers = [layer for a, b in pairwise(channels) for layer in (nn.Conv1d(a, b, net.kernel), nn.ReLU())]
    return nn.Sequential(*layers, nn.GlobalAvgPool1d(), nn.Linear(channels[-1], outputs), input_shape=net.sample_shape)


def _model(net: Net, weights: Weights, on_input: float = 0.0, hidden: float = 0.0) -> nn.Sequential:
    model = nn.MLP(list(net.sizes), net.activation, hidden) if hidden else _layers(net)
    if on_input:
        model = nn.Sequential(nn.Dropout(on_input), *model.layers)
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))  # Dropout moves the names
    return model


class _Training(Training):
    def __init__(self, net: Net, samples: Samples, use: Use) -> None:
        self.net, self.y, self.dropout = net, samples.y, use.dropout
        self.X = samples.pixels if use.in_bytes else samples.X
        self.of_fit: dict[str, Any] = {"scale": 1 / 255} if use.in_bytes else {}
        self.of_compile = {"precision": use.precision} if use.precision else {}
        try:
            self.restart(net.weights())
            self.first_loss(net.batch)
        except (TypeError, ValueError) as refused:
            if not (self.of_fit or self.of_compile):
                raise
            raise LeftOutError(str(refused)) from refused

    def restart(self, weights: Weights) -> None:
        self.model = _model(self.net, weights, *self.dropout)
        loss = "bce_with_logits" if self.net.sizes[-1] == 1 else "cross_entropy"
        optimizer = getattr(nn, self.net.optimizer)(lr=self.net.lr)
        self.model.compile(loss, optimizer, **self.of_compile)

    def set_rate(self, lr: float) -> None:
        optimizer: Any = self.model.optimizer
        optimizer.lr = lr

    def fit(self, X: np.ndarray, y: np.ndarray, epochs: int, shuffle: bool) -> nn.History:
        options: dict[str, Any] = {"epochs": epochs, "batch_size": self.net.batch, "shuffle": shuffle, "verbose": 0}
        return self.model.fit(X, y, **options, **self.of_fit)

    def train(self, epochs: int, shuffle: bool) -> None:
        self.fit(self.X, self.y, epochs, shuffle)

    def first_loss(self, n: int) -> float:
        return float(self.fit(self.X[:n], self.y[:n], 1, False).history["loss"][0])

    def weights(self) -> Weights:
        return self.model.state_dict()

    def outputs(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)
