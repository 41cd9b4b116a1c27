"""Sequential: layers, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnext import _check
from nnext.layers import Layer
from nnext.model.own_loops import OwnLoops
from nnext.model.parameters import Parameters
from nnext.model.predictions import Predictions
from nnext.model.saving import Saving
from nnext.model.training import Training

if TYPE_CHECKING:
    import numpy.typing as npt


class Sequential(Training, Predictions, Parameters, OwnLoops, Saving):
    """A network: layers, one after the other.

    Parameters
    ----------
    *layers : Layer
        At least one.
    seed : int
        Of all random numbers: start values, sample order, dropout. The same seed gives the same bits.
    dtype : {"float32", "float64"}
        Of parameters and computations.

    Attributes
    ----------
    layers : tuple of Layer
    seed : int
    dtype : numpy.dtype
    optimizer : Optimizer or None
        After ``compile``. Its ``lr`` may be changed.
    compiled : Compiled or None
        Everything that ``compile`` accepted.
    history : History or None
        Of the last ``fit``.
    stop_training : bool
        A callback sets it to end the fit after the present epoch.
    engine : Engine
        The network in the C++ core, for the other modules of nnext.

    Raises
    ------
    ValueError, TypeError
        When the layers do not fit together, or a value is out of range.

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
    """

    def __init__(self, *layers: Layer, seed: int = 0, dtype: npt.DTypeLike = "float32") -> None:
        if not layers:
            raise ValueError("[Sequential] there are no layers; give at least one, for example Linear(2, 1)")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"[Sequential] layer {i} is {layer!r}; give layers such as Linear(2, 1) or ReLU()")
        name = _check.float_dtype("Sequential", dtype)
        checked_seed = _check.integer("Sequential", "seed", seed, low=0, high=2**64 - 1)
        super().__init__(layers, checked_seed, np.dtype(name))
