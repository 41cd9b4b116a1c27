"""What a network is: layers, built in the core, and their description."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from nnext._compiled import Compiled
from nnext._decision import Decision, Seen, decide
from nnext._engine import Engine
from nnext.history import History
from nnext.layers import Layer, Residual
from nnext.optimizers import Optimizer


class Network:
    """Layers with their numbers. `Sequential` is what people use: it adds what they can do with them."""

    def __init__(self, layers: tuple[Layer, ...], seed: int, dtype: np.dtype[np.floating]) -> None:
        self._engine = Engine(layers, seed, dtype)
        self._compiled: Compiled | None = None
        self._seen = Seen()
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

    @property
    def seen(self) -> Seen:
        """What the data of `fit` and `evaluate` have told about classes and scale.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([1, 2])
        >>> model.compile("cross_entropy")
        >>> history = model.fit([[0.0], [1.0]], ["cat", "dog"], verbose=0)
        >>> model.seen.classes
        ('cat', 'dog')
        """
        return self._seen

    def remember(self, seen: Seen) -> None:
        """Take what data have told; for the other modules of nnext.

        Parameters
        ----------
        seen : Seen

        Examples
        --------
        >>> import nnext as nn
        >>> model, twin = nn.MLP([1, 2]), nn.MLP([1, 2])
        >>> twin.remember(model.seen)
        """
        self._seen = seen

    @property
    def decision(self) -> Decision:
        """What the network decides from its outputs: one object for metrics, `evaluate` and all predictions.

        Raises
        ------
        ValueError
            Where the network takes any number of features, so that its outputs are not known.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
        >>> model.decision.kind, model.decision.names
        ('binary', (0, 1))
        """
        if self.in_features is None:
            raise ValueError(
                "[decision] the network takes any number of features; give it a layer such as Linear(4, 2)"
            )
        return self._decide(self._engine.out_features(self.in_features))

    def _decide(self, outputs: int) -> Decision:
        return decide(self.layers, outputs, None if self._compiled is None else self._compiled.core_loss, self._seen)

    def _scale(self, operation: str, scale: float | None) -> float:
        """Return the factor on X: 1 where none is given, with a warning if the last fit had another."""
        if scale is None and self._seen.scale is not None:
            warnings.warn(
                f"[{operation}] the model was fitted with scale={self._seen.scale:.6g}, but none is given here; give "
                "the same for such samples, or scale=1.0 for some that are scaled already",
                UserWarning,
                stacklevel=3,
            )
        return 1.0 if scale is None else scale

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
