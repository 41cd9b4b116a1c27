"""Sequential: layers, one after the other."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Never, SupportsIndex, overload

import numpy as np

from nnext import _check
from nnext._calls import hides_unknown, refuse_unknown, takes_hints
from nnext._engine import Engine
from nnext._fields import each
from nnext._unknown import shown
from nnext.layers import Layer
from nnext.layers.base import LayerLike
from nnext.model.deciding import Deciding
from nnext.model.inspection import Inspection
from nnext.model.on_batches import OnBatches
from nnext.model.own_loops import OwnLoops
from nnext.model.predictions import Predictions
from nnext.model.saving import Saving

if TYPE_CHECKING:
    import numpy.typing as npt


class Sequential(Saving, Predictions, Inspection, OwnLoops, OnBatches):
    """A network: layers, one after the other, and a sequence of them.

    ``model(X)`` is ``model.predict(X)``; ``len(model)``, ``model[0]`` and ``for layer in model`` are about the layers.
    ``model[:-1]`` is a second model, of some of the layers; see the notes.

    Parameters
    ----------
    *layers : Layer, class of layers, str, or one list of them
        At least one. A class or a name, such as "relu", stands for a layer with its default settings.
    input_shape : tuple of int, optional
        Of one sample, where the first layer does not tell it: (channels, height, width), (steps, features) or
        (features,). X must have it then; images of one channel also without that axis.
    seed : int
        Of all random numbers: start values, sample order, dropout. The same seed gives the same bits.
    dtype : {"float32", "float64"}
        Of parameters and computations.

    Attributes
    ----------
    layers : tuple of Layer
    input_shape : tuple of int or None
        Of one sample, where it is known.
    seed : int
    dtype : numpy.dtype
    optimizer : Optimizer or None
        After ``compile``. Its ``lr`` may be changed, to a number or a schedule.
    compiled : Compiled or None
        Everything that ``compile`` accepted.
    history : History or None
        Of the last ``fit``.
    stop_training : bool
        A callback sets it to end the fit after the present epoch.
    seen : Seen
        What the data have told: names of classes, the factor on X.
    decision : Decision
        What the network decides from its outputs.
    engine : Engine
        The network in the C++ core, for the other modules of nnext.

    Raises
    ------
    ValueError, TypeError
        When the layers do not fit together, or a value is out of range.

    Notes
    -----
    A slice, such as ``model[:-1]`` or ``model[2:5]``, is a `Sequential` that shares its layers with the whole: their
    parameters, whether they are frozen, their names ("2.weight" also in ``model[2:]``) and their random numbers. What
    trains one changes the other. All else is its own: `compile` with the optimizer's state, averages, counters,
    `history`, `seen` and `decision`. It takes what its first layer takes, and exactly what comes before gives where the
    whole has an `input_shape`.

    Of all models of one network, one trains at a time, and all predict meanwhile. What one has changed makes others
    that have such a layer forget their passes: `step` refuses gradients from before. The averages (`ema`) that they
    have of such a layer begin again from what it is then. `save`, `copy` and `pickle` take the layers of the slice
    alone, into a network of its own.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0)
    >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.1))
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
    >>> history = model.fit(X, [0, 1, 1, 0], epochs=60, batch_size=4, verbose=0)
    >>> model.predict_classes(X)
    array([0, 1, 1, 0])
    >>> len(model), model[1]
    (3, Tanh())

    What the network makes of samples before its last layer, as features for others:

    >>> features = model[:-1].predict(X)
    >>> features.shape
    (4, 8)

    A new head on old layers: trained alone, on features that are computed once, it is as with these layers frozen.

    >>> pretrained = nn.Sequential(*model.layers[:-1], nn.Linear(8, 3), seed=1)
    >>> pretrained.load_state_dict(model[:-1].state_dict(), strict=False)
    >>> head = pretrained[2:]
    >>> head.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.1))
    >>> history = head.fit(features, [0, 1, 2, 0], epochs=60, batch_size=4, verbose=0)
    >>> pretrained.predict(X).argmax(axis=1)
    array([0, 1, 2, 0])
    """

    @takes_hints
    def __init__(
        self,
        *layers: LayerLike | Sequence[LayerLike],
        input_shape: Sequence[int] | None = None,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        chosen: tuple[Layer, ...] = each(Layer, "Sequential", "layers", layers)
        if not chosen:
            raise ValueError("[Sequential] there are no layers; give at least one, for example Linear(2, 1)")
        name = _check.float_dtype("Sequential", dtype)
        shape = None if input_shape is None else _check.shape("Sequential", "input_shape", input_shape)
        super().__init__(Engine(chosen, _check.seed("Sequential", seed), np.dtype(name), shape))

    @hides_unknown
    def __call__(self, X: Any, **unknown: Never) -> Any:
        """Return what the last layer gives for each row of X: `predict`."""
        if unknown:
            refuse_unknown(self.__call__, unknown)
        return self.predict(X)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Layer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequential: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Layer | Sequential:
        if isinstance(place, slice):
            return self._slice(place)
        if isinstance(place, bool) or not hasattr(place, "__index__"):
            raise TypeError(f"[model] {shown(place)} is no place of a layer; give a whole number, or use model.layers")
        index = operator.index(place)
        if not -len(self) <= index < len(self):
            raise IndexError(f"[model] there is no layer {index}; the model has {len(self)}, numbered from 0")
        return self.layers[index]

    def _slice(self, places: slice) -> Sequential:
        """Return a model of some of the layers, whose parameters both share."""
        for bound in (places.start, places.stop, places.step):
            if bound is not None and (isinstance(bound, bool) or not hasattr(bound, "__index__")):
                raise TypeError(f"[model] {shown(bound)} in a slice is no place of a layer; give whole numbers")
        if places.step is not None and operator.index(places.step) != 1:
            raise ValueError(
                f"[model] the step of a slice is {operator.index(places.step)}, but a network takes layers one after "
                "the other; leave it out, and pick layers for a network of their own from model.layers"
            )
        first, last, _ = places.indices(len(self))
        if first >= last:
            raise ValueError(
                f"[model] the layers from {first} to {last} are none; the model has {len(self)}, numbered from 0, and "
                "a slice needs one at least"
            )
        return of_engine(self._engine.slice(first, last))


def of_engine(engine: Engine) -> Sequential:
    """Return a model of a network that there is already."""
    model = Sequential.__new__(Sequential)
    Deciding.__init__(model, engine)
    return model
