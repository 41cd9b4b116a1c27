"""What a network is: layers, built in the core, and their description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check
from nnext._calls import takes_hints
from nnext._compiled import Compiled
from nnext._engine import Engine
from nnext._unknown import hint, names_the_cures, nearest, shown
from nnext.history import History
from nnext.layers import Branches, Layer
from nnext.optimizers import Optimizer


@names_the_cures("model.")
class Network:
    """Layers with their numbers. `Sequential` is what people use: it adds what they can do with them."""

    def __init__(self, layers: tuple[Layer, ...], seed: int, dtype: np.dtype[np.floating]) -> None:
        self._engine = Engine(layers, seed, dtype)
        self._compiled: Compiled | None = None
        self._history: History | None = None
        self._stop_training = False

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
    def history(self) -> History | None:
        """The record of the last `fit`."""
        return self._history

    @history.setter
    def history(self, history: History | None) -> None:
        if not isinstance(history, History | None):
            raise TypeError(f"[model] history is {shown(history)}; give a History, such as fit returns")
        self._history = history

    @property
    def stop_training(self) -> bool:
        """Whether the fit ends after the present epoch."""
        return self._stop_training

    @stop_training.setter
    def stop_training(self, stop: bool) -> None:
        self._stop_training = _check.flag("model", "stop_training", stop)

    if not TYPE_CHECKING:  # to type checkers an unknown name stays one

        def __setattr__(self, name: str, value: Any) -> None:
            if not name.startswith("_") and not _is_settable(type(self), name):
                self._refuse_unless_the_users(name)
            super().__setattr__(name, value)

    def _refuse_unless_the_users(self, name: str) -> None:
        """Refuse an attribute that nothing would act on; a class of the user's may have others of its own."""
        cls, cure = type(self), hint(["set model."], name)
        if not _is_nnexts(cls) and not isinstance(getattr(cls, name, None), property) and cure is None:
            return
        settable = [known for known in dir(cls) if _is_settable(cls, known)]
        cure = cure or hint(["model."], name) or nearest(name, settable)
        cure = cure or f"what can be set are {', '.join(settable)}, and what a class derived from this one adds"
        raise AttributeError(f"[{cls.__name__}] {name} cannot be set; {cure}", name=name)

    def __repr__(self) -> str:
        """Show the call that makes it again, without its parameters: of an MLP that with its layers."""
        name = "Sequential" if _is_nnexts(type(self)) else type(self).__name__
        arguments = [repr(layer) for layer in self.layers]
        arguments += [f"seed={self.seed}"] if self.seed != 0 else []
        arguments += [f"dtype={self.dtype.name!r}"] if self.dtype != np.float32 else []
        return f"{name}({', '.join(arguments)})"

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

    @takes_hints
    def count_params(self) -> int:
        """Return the number of parameters; buffers, such as running statistics, are none.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 128, 10]).count_params()
        101770
        """
        return _count(self._engine, "")

    @takes_hints
    def summary(self) -> None:
        """Print a table of the layers with their output shapes and numbers of parameters.

        The layers within a `Residual` or `Branches` follow it; its own number is what they have together.

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


def _is_settable(cls: type, name: str) -> bool:
    """Tell whether an attribute is a property that can be set."""
    return getattr(getattr(cls, name, None), "fset", None) is not None


def _is_nnexts(cls: type[Network]) -> bool:
    return cls.__module__.startswith("nnext.")


def _table(engine: Engine) -> str:
    rows = [("layer", "output", "params")]
    _add_rows(rows, engine, engine.layers, "", engine.in_features)
    rows.append(("total", "", f"{_count(engine, ''):,}"))
    names, shapes, counts = (max(len(row[column]) for row in rows) for column in range(3))
    return "\n".join(f"{name:<{names}}   {shape:<{shapes}}   {count:>{counts}}" for name, shape, count in rows)


def _add_rows(
    rows: list[tuple[str, str, str]], engine: Engine, layers: Iterable[Layer], prefix: str, features: int | None
) -> int | None:
    """Add a row a layer, those that it holds after it; return the features that the last one gives."""
    for i, layer in enumerate(layers):
        path, place = f"{prefix}{i}", len(rows)
        given = getattr(layer, "out_features", features)
        ends = [_add_rows(rows, engine, held, f"{path}.{name}.", features) for name, held in layer.chains().items()]
        if ends:
            given = sum(end or 0 for end in ends) if isinstance(layer, Branches) and layer.join == "concat" else ends[0]
        depth = sum(not part.isdigit() for part in path.split("."))
        frozen = " (frozen)" if _is_frozen(engine, path) else ""
        name = f"{'  ' * depth}{path} {type(layer).__name__}{frozen}"
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
