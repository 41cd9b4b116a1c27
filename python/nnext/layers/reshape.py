"""Reshape and Flatten: the numbers of a sample in another shape."""

from __future__ import annotations

from nnext._fields import sizes
from nnext.layers.base import Layer

__all__ = ["Flatten", "Reshape"]


class Flatten(Layer):
    """Turns samples of any shape into rows: (n, 28, 28) into (n, 784).

    As the first layer it lets a network take images.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).predict([[[1, 2], [3, 4]]]).shape
    (1, 2)
    """

    output_range = None


class Reshape(Layer):
    """Gives samples another shape, as NumPy's ``reshape`` does: (n, 784) becomes (n, 1, 28, 28).

    Parameters
    ----------
    *shape : int, or one tuple of them
        Sizes of a sample's axes, without that of the samples: F of features, (T, F) of a sequence, (C, H, W) of images.
        One may be -1, which stands for what follows from the others.

    Raises
    ------
    ValueError, TypeError
        For no size, sizes below 1 but for one -1; from the network, when a sample has more or fewer numbers.

    Notes
    -----
    PyTorch's ``Unflatten(1, shape)``, and Keras' ``Reshape(shape)`` with the channels first.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Reshape(-1, 2)).predict([[1.0, 2.0, 3.0, 4.0]])
    array([[[1., 2.],
            [3., 4.]]], dtype=float32)
    >>> model = nn.Sequential(nn.Linear(8, 36), nn.Reshape(1, 6, 6), nn.Conv2d(1, 4, 3))
    >>> model.predict([[1.0] * 8]).shape
    (1, 4, 4, 4)
    """

    output_range = None

    shape: tuple[int, ...] = sizes(example="1, 28, 28")

    def __init__(self, *shape: int | tuple[int, ...] | list[int]) -> None:
        self.settle({"shape": shape})
