"""What a network is: layers, built in the core, and their description."""

from __future__ import annotations

import numpy as np

from nnext._compiled import Compiled
from nnext._engine import Engine
from nnext.history import History
from nnext.layers import Layer
from nnext.optimizers import Optimizer


class Network:
    """Layers with their numbers. `Sequential` is what people use: it adds what they can do with them."""

    def __init__(self, layers: tuple[Layer, ...], seed: int, dtype: np.dtype[np.floating]) -> None:
        self._engine = Engine(layers, seed, dtype)
        self._compiled: Compiled | None = None
        self.history: History | None = None
        self.stop_training = False

    @property
    def engine(self) -> Engine:
        """The network in the C++ core, for other modules of nnext."""
        return self._engine

    @property
    def compiled(self) -> Compiled | None:
        """What `compile` accepted last; None before."""
        return self._compiled

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, first to last."""
        return self._engine.layers

    @property
    def seed(self) -> int:
        """The seed of all random numbers."""
        return self._engine.seed

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The type of parameters and computations."""
        return self._engine.dtype

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer after `compile`; its ``lr`` may be changed."""
        return None if self._compiled is None else self._compiled.optimizer

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(map(repr, self.layers))}, seed={self.seed}, dtype={self.dtype.name!r})"
        )

    @property
    def in_features(self) -> int | None:
        """Features of a sample; None where any number is taken.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 10]).in_features
        784
        """
        return self._engine.in_features

    def count_params(self) -> int:
        """Return the number of parameters.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 128, 10]).count_params()
        101770
        """
        return sum(int(np.prod(tensor.shape)) for tensor in self._engine.tensors() if tensor.role == "parameter")

    def summary(self) -> None:
        """Print a table of the layers with their output shapes and numbers of parameters.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.Sequential(nn.Linear(4, 3), nn.ReLU()).summary()
        layer      output   params
        0 Linear   (n, 3)       15
        1 ReLU     (n, 3)        0
        total                   15
        """
        print(_table(self._engine))


def _table(engine: Engine) -> str:
    params: dict[str, int] = {}
    for tensor in engine.tensors():
        if tensor.role != "parameter":
            continue
        owner = tensor.path.split(".")[0]
        params[owner] = params.get(owner, 0) + int(np.prod(tensor.shape))
    rows, features = [("layer", "output", "params")], engine.in_features
    for i, layer in enumerate(engine.layers):
        features = getattr(layer, "out_features", features)
        frozen = " (frozen)" if str(i) in engine.frozen else ""
        rows.append((f"{i} {type(layer).__name__}{frozen}", f"(n, {features or '?'})", f"{params.get(str(i), 0):,}"))
    rows.append(("total", "", f"{sum(params.values()):,}"))
    names, shapes, counts = (max(len(row[column]) for row in rows) for column in range(3))
    return "\n".join(f"{name:<{names}}   {shape:<{shapes}}   {count:>{counts}}" for name, shape, count in rows)
