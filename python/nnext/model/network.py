"""What a network is: layers, built in the core, and their description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check
from nnext._calls import takes_hints
from nnext._compiled import Compiled
from nnext._decision import Shape
from nnext._engine import Engine
from nnext._streams import show
from nnext._unknown import hint, names_the_cures, nearest, shown
from nnext.history import History
from nnext.layers import Layer
from nnext.model.table import count_parameters, table
from nnext.optimizers import Optimizer


@names_the_cures("model.")
class Network:
    """Layers with their numbers. `Sequential` is what people use: it adds what they can do with them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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
    def _compiled(self) -> Compiled | None:  # a class of the user's may have another `compiled`
        compiled: Compiled | None = self._engine.record
        return compiled

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
        return None if (compiled := self._compiled) is None else compiled.optimizer

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
        told = self._engine.told_shape
        arguments += [f"input_shape={told}"] if told is not None else []
        arguments += [f"seed={self.seed}"] if self.seed != 0 else []
        arguments += [f"dtype={self.dtype.name!r}"] if self.dtype != np.float32 else []
        return f"{name}({', '.join(arguments)})"

    @property
    def in_features(self) -> int | None:
        """Features of a sample that is a row of them; None where any number is taken, and for samples of other shapes.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 10]).in_features
        784
        """
        shape = self.input_shape
        return shape[0] if shape is not None and len(shape) == 1 else None

    @property
    def input_shape(self) -> Shape | None:
        """The shape of a sample: as it was given, or the one that the first layers take; None where these take several.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 10]).input_shape
        (784,)
        >>> nn.Sequential(nn.Conv2d(3, 8, 3), input_shape=(3, 32, 32)).input_shape
        (3, 32, 32)
        """
        return self._engine.input_shape

    @takes_hints
    def count_params(self) -> int:
        """Return the number of parameters; buffers, such as running statistics, are none.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 128, 10]).count_params()
        101770
        """
        return count_parameters(self._engine, "")

    @takes_hints
    def summary(self, input_shape: Shape | None = None) -> None:
        """Print a table of the layers: what they give, parameters, and what a prediction of one sample costs.

        Bytes are those of what a layer gives. The layers within a `Residual` or `Branches` follow it; its own row has
        what they need together.

        Parameters
        ----------
        input_shape : tuple of int, optional
            Of one sample, where the network takes several shapes.

        Raises
        ------
        ValueError, TypeError
            For samples that the network does not take.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.Sequential(nn.Linear(4, 3), nn.Residual(nn.Linear(3, 3), nn.ReLU())).summary()
        layer               output   params   FLOPs   bytes
        0 Linear            (n, 3)       15      27      12
        1 Residual          (n, 3)       12      48      36
          1.body.0 Linear   (n, 3)       12      21      12
          1.body.1 ReLU     (n, 3)        0      24      12
        total                            27      75      48
        >>> nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.GlobalAvgPool2d()).summary((1, 28, 28))
        layer               output           params    FLOPs    bytes
        0 Conv2d            (n, 4, 26, 26)       40   48,672   10,816
        1 ReLU              (n, 4, 26, 26)        0   21,632   10,816
        2 GlobalAvgPool2d   (n, 4)                0    2,704       16
        total                                    40   73,008   21,648
        """
        shape = self.input_shape if input_shape is None else _check.shape("summary", "input_shape", input_shape)
        show(table(self._engine, shape))


def _is_settable(cls: type, name: str) -> bool:
    """Tell whether an attribute is a property that can be set."""
    return getattr(getattr(cls, name, None), "fset", None) is not None


def _is_nnexts(cls: type[Network]) -> bool:
    return cls.__module__.startswith("nnext.")
