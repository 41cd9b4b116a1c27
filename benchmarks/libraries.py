"""What each library's process does in training_step.py: one class a library, all with the same methods.

Each trains 784-128-10 (ReLU, cross-entropy, plain SGD) in float32, from given weights.
"""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np

FEATURES, HIDDEN, CLASSES, BATCH, LR = 784, 128, 10, 64, 0.1


class Library:
    """A library at work. `work` has the arrays X, y, order and the start weights under PyTorch's names.

    An epoch's loss is the mean of the losses of its batches, each taken before its step.
    """

    def __init__(self, work: dict[str, np.ndarray], threads: int) -> None:
        self.X, self.y, self.order = work["X"], work["y"], work["order"]
        self.weights = {name: work[name] for name in ("0.weight", "0.bias", "2.weight", "2.bias")}

    def about(self) -> str:
        """Return version and settings."""
        raise NotImplementedError

    def loss(self, shuffle: bool) -> float | None:
        """Train one epoch from the start weights, in the given order or as the samples lie; return its loss."""
        raise NotImplementedError

    def restart(self) -> None:
        """Go back to the start weights."""

    def train(self, epochs: int, shuffle: bool) -> None:
        """Train as a user does: `shuffle` takes a new order in every epoch."""
        raise NotImplementedError

    def seconds(self, epochs: int, shuffle: bool) -> float:
        """Return the time of a training, from the same start each time."""
        self.restart()
        started = time.perf_counter()
        self.train(epochs, shuffle)
        return time.perf_counter() - started


class Nnext(Library):
    """The ordinary `fit`, with its checks of the arrays."""

    def __init__(self, work: dict[str, np.ndarray], threads: int) -> None:
        super().__init__(work, threads)
        import nnext as nn

        self.nn = nn
        self.restart()

    def about(self) -> str:
        return f"nnext {self.nn.__version__}, {self.nn.runtime.isa()}"

    def restart(self) -> None:
        self.model = self.nn.MLP([FEATURES, HIDDEN, CLASSES])  # seed 0: `order` is that of its first epoch
        self.model.load_state_dict(self.weights)
        self.model.compile(loss="cross_entropy", optimizer=self.nn.SGD(lr=LR))

    def train(self, epochs: int, shuffle: bool) -> None:
        self.model.fit(self.X, self.y, epochs=epochs, batch_size=BATCH, shuffle=shuffle, verbose=0)

    def loss(self, shuffle: bool) -> float:
        self.restart()
        self.train(1, shuffle)
        assert self.model.history is not None
        return self.model.history.history["loss"][0]


class Torch(Library):
    """PyTorch eager: autograd, batches gathered into tensors that exist already, the fastest of its SGDs here."""

    def __init__(self, work: dict[str, np.ndarray], threads: int) -> None:
        super().__init__(work, threads)
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        self.samples, self.labels = torch.from_numpy(self.X), torch.from_numpy(self.y)
        self.x_batch, self.y_batch = self.samples[:BATCH].clone(), self.labels[:BATCH].clone()
        self.sgd = "fused"
        times = {}
        for self.sgd in ("fused", "foreach", "for-loop"):
            self.seconds(1, False)
            times[self.sgd] = min(self.seconds(1, False) for _ in range(3))
        self.sgd = min(times, key=lambda kind: times[kind])

    def about(self) -> str:
        return f"torch {self.torch.__version__}, {self.torch.backends.cpu.get_cpu_capability()}, {self.sgd} SGD"

    def restart(self) -> None:
        nn = self.torch.nn
        self.model = nn.Sequential(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
        self.model.load_state_dict({name: self.torch.from_numpy(w.copy()) for name, w in self.weights.items()})
        kind = {"fused": {"fused": True}, "foreach": {"foreach": True}, "for-loop": {"foreach": False}}[self.sgd]
        self.optimizer = self.torch.optim.SGD(self.model.parameters(), lr=LR, **kind)

    def step(self, x: Any, y: Any) -> Any:
        loss = self.torch.nn.functional.cross_entropy(self.model(x), y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss

    def epoch(self, order: Any) -> list[Any]:
        """Go through the samples in an order, or as they lie; return each batch's loss, still a tensor."""
        if order is None:
            batches = zip(self.samples.split(BATCH), self.labels.split(BATCH), strict=True)
            return [self.step(x, y).detach() for x, y in batches]
        losses = []
        for rows in order.split(BATCH):
            self.torch.index_select(self.samples, 0, rows, out=self.x_batch)
            self.torch.index_select(self.labels, 0, rows, out=self.y_batch)
            losses.append(self.step(self.x_batch, self.y_batch).detach())
        return losses

    def train(self, epochs: int, shuffle: bool) -> None:
        for _ in range(epochs):
            self.epoch(self.torch.randperm(len(self.samples)) if shuffle else None)

    def loss(self, shuffle: bool) -> float:
        self.restart()
        losses = self.epoch(self.torch.from_numpy(self.order) if shuffle else None)
        return float(self.torch.stack(losses).double().mean())


class NumPy(Library):
    """`nnext.reference`, which is written to be read: it computes the gradient of its input as well.

    The order comes from NumPy's generator, which is quicker than the reference's own.
    """

    def __init__(self, work: dict[str, np.ndarray], threads: int) -> None:
        super().__init__(work, threads)
        from nnext import reference

        self.reference = reference
        self.random = np.random.default_rng(0)
        self.restart()

    def about(self) -> str:
        core = os.environ.get("OPENBLAS_CORETYPE")
        return f"NumPy {np.__version__}, nnext.reference" + (f", OPENBLAS_CORETYPE={core}" if core else "")

    def restart(self) -> None:
        layers: list[dict[str, Any]] = [
            {"type": "Linear", "in_features": FEATURES, "out_features": HIDDEN, "bias": True},
            {"type": "ReLU"},
            {"type": "Linear", "in_features": HIDDEN, "out_features": CLASSES, "bias": True},
        ]
        optimizer = self.reference.SGD(lr=LR)
        self.network = self.reference.Network.from_config(
            layers, self.weights, "cross_entropy", optimizer, dtype="float32"
        )

    def epoch(self, order: np.ndarray | None) -> list[float]:
        losses = []
        for start in range(0, len(self.X), BATCH):
            rows: Any = slice(start, start + BATCH) if order is None else order[start : start + BATCH]
            losses.append(self.network.loss_and_grads(self.X[rows], self.y[rows])[0])
            self.network.step()
        return losses

    def train(self, epochs: int, shuffle: bool) -> None:
        for _ in range(epochs):
            self.epoch(self.random.permutation(len(self.X)) if shuffle else None)

    def loss(self, shuffle: bool) -> float:
        self.restart()
        return float(np.mean(self.epoch(self.order if shuffle else None)))


class ScikitLearn(Library):
    """MLPClassifier.fit, going on from given weights. It draws its own order, so only `shuffle=False` can be proved."""

    def __init__(self, work: dict[str, np.ndarray], threads: int) -> None:
        super().__init__(work, threads)
        import sklearn
        from sklearn.neural_network import MLPClassifier

        warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
        self.version = sklearn.__version__
        self.model = MLPClassifier(
            (HIDDEN,), solver="sgd", alpha=0.0, batch_size=BATCH, learning_rate_init=LR, momentum=0.0, max_iter=1
        ).set_params(nesterovs_momentum=False, tol=0.0, n_iter_no_change=10**6, warm_start=True, random_state=0)
        self.model.fit(self.X, self.y)  # makes the arrays that `restart` fills

    def about(self) -> str:
        return f"scikit-learn {self.version}, MLPClassifier"

    def restart(self) -> None:
        self.model.coefs_ = [np.ascontiguousarray(self.weights[f"{i}.weight"].T) for i in (0, 2)]
        self.model.intercepts_ = [self.weights[f"{i}.bias"].copy() for i in (0, 2)]

    def train(self, epochs: int, shuffle: bool) -> None:
        self.model.set_params(max_iter=epochs, shuffle=shuffle).fit(self.X, self.y)

    def loss(self, shuffle: bool) -> float | None:
        if shuffle:
            return None
        self.restart()
        self.train(1, False)
        return float(self.model.loss_curve_[-1])


# name: what it needs, what its process does, variables of its process
LIBRARIES: dict[str, tuple[str, type[Library], dict[str, str]]] = {
    "nnext": ("nnext", Nnext, {}),
    "PyTorch": ("torch", Torch, {}),
    "PyTorch avx512": ("torch", Torch, {"ATEN_CPU_CAPABILITY": "avx512"}),
    "NumPy": ("numpy", NumPy, {}),
    "NumPy avx512": ("numpy", NumPy, {"OPENBLAS_CORETYPE": "COOPERLAKE"}),
    "scikit-learn": ("sklearn", ScikitLearn, {}),
}
