"""How the core is asked for an activation or its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def value(name: str, x: npt.ArrayLike, *arguments: float) -> Array:
    """Return an activation of x; `arguments` are the numbers that it takes beside x."""
    return _core.activation(name, x, *arguments)


def gradient(name: str, x: npt.ArrayLike, dy: npt.ArrayLike, *arguments: float) -> Array:
    """Return the gradient with respect to x."""
    return _core.activation_grad(name, x, upstream(name, x, dy), *arguments)


def upstream(name: str, x: npt.ArrayLike, dy: npt.ArrayLike) -> npt.ArrayLike:
    """Spread a single upstream gradient over x's shape."""
    if np.ndim(dy) == 0 and np.ndim(x) > 0:
        return np.broadcast_to(_core.as_array(dy, name, "dy"), np.shape(x))
    return dy
