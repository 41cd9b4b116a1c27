"""What a network is: layers, built in the core, and their description."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnext._compiled import Compiled
from nnext._engine import Engine
from nnext.history import History
from nnext.layers import Layer, Residual
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
        """Return the number of parameters; buffers, such as running statistics, are none.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 128, 10]).count_params()
        101770
        """
        return _count(self._engine, "")

    def summary(self) -> None:
        """Print a table of the layers with their output shapes and numbers of parameters.

        The layers within a `Residual` follow it; its own number is what they have together.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.Sequential(nn.Linear(4, 3), nn.Residual(nn.Linear(3, 3), nn.ReLU())).summary()
        layer               output   params
        0 Linear            (n, 3)       15
        1 Residual          (n, 3)       12
          1.body.0 Linear   (n, 3)       12
          1.body.1 ReLU     (n, 3)        0
        total                            27
        """
        print(_table(self._engine))


def _table(engine: Engine) -> str:
    rows = [("layer", "output", "params")]
    _add_rows(rows, engine, engine.layers, "", engine.in_features)
    rows.append(("total", "", f"{_count(engine, ''):,}"))
    names, shapes, counts = (max(len(row[column]) for row in rows) for column in range(3))
    return "\n".join(f"{name:<{names}}   {shape:<{shapes}}   {count:>{counts}}" for name, shape, count in rows)


def _add_rows(
    rows: list[tuple[str, str, str]], engine: Engine, layers: Iterable[Layer], prefix: str, features: int | None
) -> int | None:
    """Add a row a layer, those within a Residual after it; return the features that the last one gives."""
    for i, layer in enumerate(layers):
        path, place = f"{prefix}{i}", len(rows)
        given = getattr(layer, "out_features", features)
        if isinstance(layer, Residual):
            given = _add_rows(rows, engine, layer.body, f"{path}.body.", features)
            _add_rows(rows, engine, layer.shortcut, f"{path}.shortcut.", features)
        frozen = " (frozen)" if _is_frozen(engine, path) else ""
        name = f"{'  ' * (path.count('.') // 2)}{path} {type(layer).__name__}{frozen}"
        rows.insert(place, (name, f"(n, {given or '?'})", f"{_count(engine, path + '.'):,}"))
        features = given
    return features


def _count(engine: Engine, prefix: str) -> int:
    """Return how many numbers the parameters have whose paths begin so."""
    tensors = (tensor for tensor in engine.tensors() if tensor.role == "parameter" and tensor.path.startswith(prefix))
    return sum(int(np.prod(tensor.shape)) for tensor in tensors)


def _is_frozen(engine: Engine, path: str) -> bool:
    """Tell whether all layers with parameters at a path, or within what is there, are frozen."""
    owners = {tensor.path.rpartition(".")[0] for tensor in engine.tensors() if tensor.path.startswith(path + ".")}
    return bool(owners) and owners <= set(engine.frozen)
