"""scikit-learn's MLPClassifier; its MLPRegressor for predictions, as that gives the outputs themselves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.libraries.base import Call, LeftOutError, Library, Training
from benchmarks.works import Net, Samples, Weights


class Use(Library):
    """scikit-learn. Its Adam adds eps before it corrects the second moment: the fourth digit of a loss shows it."""

    tolerance = 5e-3

    def about(self) -> str:
        return f"scikit-learn {sklearn.__version__}"

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        model = MLPRegressor(hidden_layer_sizes=net.sizes[1:-1], activation=net.activation, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that one epoch is not enough
            model.fit(np.zeros((2, net.sizes[0]), np.float32), np.zeros((2, net.sizes[-1])).squeeze())
        _set_weights(model, net, weights)
        return lambda: model.predict(x)

    def training(self, net: Net, samples: Samples) -> Training:
        return _Training(net, samples)


def _set_weights(model: Any, net: Net, weights: Weights) -> None:
    layers = range(0, 2 * len(net.sizes) - 2, 2)
    model.coefs_ = [np.ascontiguousarray(weights[f"{i}.weight"].T) for i in layers]
    model.intercepts_ = [weights[f"{i}.bias"].copy() for i in layers]


class _Training(Training):
    """`fit`, going on from given weights; `partial_fit` where the rate changes between epochs."""

    def __init__(self, net: Net, samples: Samples) -> None:
        if net.sizes[-1] == 2:
            raise LeftOutError("its network for two classes has one output")
        warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
        self.net, self.X, self.y = net, samples.X, samples.y
        self.rate: float | None = None
        self.model = MLPClassifier(
            net.sizes[1:-1], solver=net.optimizer.lower(), alpha=0.0, batch_size=net.batch, momentum=0.0, max_iter=1
        ).set_params(nesterovs_momentum=False, tol=0.0, n_iter_no_change=10**6, warm_start=True, random_state=0)
        self.model.set_params(activation=net.activation, learning_rate_init=net.lr)
        self.model.fit(self.X, self.y)  # makes what `restart` fills

    def restart(self, weights: Weights) -> None:
        _set_weights(self.model, self.net, weights)
        self.rate = None

    def set_rate(self, lr: float) -> None:
        if self.rate is None:
            self.model.__dict__.pop("_optimizer", None)  # the first partial_fit makes a new one
            self.model.set_params(learning_rate_init=lr)
        else:
            # There is no public way to change it; its SGD reads the one, its Adam the other.
            optimizer = self.model._optimizer  # noqa: SLF001
            optimizer.learning_rate = optimizer.learning_rate_init = lr
        self.rate = lr

    def train(self, epochs: int, shuffle: bool) -> None:
        self.model.set_params(shuffle=shuffle)
        if self.rate is None:
            self.model.set_params(max_iter=epochs).fit(self.X, self.y)
        else:
            for _ in range(epochs):
                self.model.partial_fit(self.X, self.y)

    def first_loss(self, n: int) -> float:
        self.model.set_params(max_iter=1, shuffle=False).fit(self.X[:n], self.y[:n])
        return float(self.model.loss_curve_[-1])

    def outputs(self, X: np.ndarray) -> np.ndarray:
        return np.log(self.model.predict_proba(X) + 1e-30)
