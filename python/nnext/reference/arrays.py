"""What arrays the reference computes with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def as_float(x: npt.ArrayLike) -> Array:
    """Return x as an array of float32, if it is one already, or else of float64."""
    x = np.asarray(x)
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)
