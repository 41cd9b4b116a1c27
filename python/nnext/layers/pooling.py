"""Pooling: fewer places of an image, a signal or a sequence, each standing for several."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import both, flag, sides, size
from nnext.layers.base import Layer

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "GlobalAvgPool1d",
    "GlobalAvgPool2d",
    "GlobalMaxPool1d",
    "MaxPool1d",
    "MaxPool2d",
]


def _refuse_wide_padding(layer: _Pool1d | _Pool2d) -> None:
    """Refuse windows that may lie outside the image or the signal."""
    kernel, padding = layer.kernel_size, layer.padding
    if any(2 * width > side for side, width in zip(both(kernel), both(padding), strict=True)):
        raise ValueError(
            f"[{type(layer).__name__}] padding is {padding} but kernel_size is {kernel}; give a padding of at most "
            "half the kernel"
        )


class _Pool1d(Layer, abstract=True):
    """What a maximum and a mean over windows of one axis have in common."""

    output_range = None

    kernel_size: int = size()
    stride: int | None = size(default=None, optional=True)
    padding: int = size(default=0, low=0)

    def check(self) -> None:
        """Refuse windows that may lie outside the signal."""
        _refuse_wide_padding(self)


class _Pool2d(Layer, abstract=True):
    """What a maximum and a mean over windows have in common."""

    output_range = None

    kernel_size: int | tuple[int, int] = sides()
    stride: int | tuple[int, int] | None = sides(default=None, optional=True)
    padding: int | tuple[int, int] = sides(default=0, low=0)

    def check(self) -> None:
        """Refuse windows that may lie outside the image."""
        _refuse_wide_padding(self)


class MaxPool1d(_Pool1d):
    """The largest number of each window of a channel: (C, L) -> (C, L'), or of a feature: (T, F) -> (T', F).

    Its gradient goes to that number, to the first of equal ones. A window ends at the signal's edge: padding is never
    the largest.

    Parameters
    ----------
    kernel_size : int
        Places of a window.
    stride : int or None
        From one window to the next; None is kernel_size, so that windows lie side by side.
    padding : int
        How far windows reach beyond each end of the signal; at most half of kernel_size.

    Raises
    ------
    ValueError, TypeError
        For sizes out of range; from the network, when a signal is shorter than the window.

    Notes
    -----
    ``L' = floor((L + 2 padding - kernel_size) / stride) + 1``: places that do not fill a window are left out.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.MaxPool1d(2)).predict(np.arange(6).reshape(1, 1, 6))
    array([[[1., 3., 5.]]], dtype=float32)
    """


class MaxPool2d(_Pool2d):
    """The largest number of each window of a channel: (C, H, W) -> (C, H', W').

    Its gradient goes to that number, to the first of equal ones in the order of rows. A window ends at the image's
    edge: padding is never the largest.

    Parameters
    ----------
    kernel_size : int or tuple of two int
        Rows and columns of a window; one number is for both, here and below.
    stride : int, tuple of two int or None
        From one window to the next; None is kernel_size, so that windows lie side by side.
    padding : int or tuple of two int
        How far windows reach beyond each side of the image; at most half of kernel_size.

    Raises
    ------
    ValueError, TypeError
        For sizes out of range; from the network, when an image is smaller than the window.

    Notes
    -----
    ``H' = floor((H + 2 padding - kernel_size) / stride) + 1``: rows that do not fill a window are left out.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.MaxPool2d(2)).predict(np.arange(16).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]], dtype=float32)
    """


class AvgPool1d(_Pool1d):
    """The mean of each window of a channel: (C, L) -> (C, L'), or of a feature: (T, F) -> (T', F).

    Parameters
    ----------
    kernel_size : int
        Places of a window.
    stride : int or None
        From one window to the next; None is kernel_size, so that windows lie side by side.
    padding : int
        Zeros at each end of the signal; at most half of kernel_size.
    count_include_pad : bool
        Whether these zeros count: then every sum is divided by kernel_size, else by what of it lies within the signal.

    Raises
    ------
    ValueError, TypeError
        For sizes out of range; from the network, when a signal is shorter than the window.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.AvgPool1d(2)).predict(np.arange(6).reshape(1, 1, 6))
    array([[[0.5, 2.5, 4.5]]], dtype=float32)
    """

    _: KW_ONLY
    count_include_pad: bool = flag(default=True)


class AvgPool2d(_Pool2d):
    """The mean of each window of a channel: (C, H, W) -> (C, H', W').

    Parameters
    ----------
    kernel_size : int or tuple of two int
        Rows and columns of a window; one number is for both, here and below.
    stride : int, tuple of two int or None
        From one window to the next; None is kernel_size, so that windows lie side by side.
    padding : int or tuple of two int
        Rows and columns of zeros on each side of the image; at most half of kernel_size.
    count_include_pad : bool
        Whether these zeros count: then every sum is divided by the size of the window, else by what of it lies within
        the image.

    Raises
    ------
    ValueError, TypeError
        For sizes out of range; from the network, when an image is smaller than the window.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.AvgPool2d(2)).predict(np.arange(16).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]], dtype=float32)
    """

    _: KW_ONLY
    count_include_pad: bool = flag(default=True)


class GlobalAvgPool1d(Layer):
    """The mean of each channel: (C, L) -> (C,), or of each feature: (T, F) -> (F,). Features for a `Linear`.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.GlobalAvgPool1d()).predict(np.arange(8).reshape(1, 2, 4))
    array([[1.5, 5.5]], dtype=float32)
    """

    output_range = None


class GlobalMaxPool1d(Layer):
    """The largest number of each channel: (C, L) -> (C,), or of each feature: (T, F) -> (F,).

    Its gradient goes to that number, to the first of equal ones. After a convolution it tells whether there is
    something, wherever it is. Collobert et al., Journal of Machine Learning Research 12 (2011).

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.GlobalMaxPool1d()).predict(np.arange(8).reshape(1, 2, 4))
    array([[3., 7.]], dtype=float32)
    """

    output_range = None


class GlobalAvgPool2d(Layer):
    """The mean of each channel: (C, H, W) -> (C,), features for a `Linear`. Lin, Chen and Yan, ICLR 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.GlobalAvgPool2d()).predict(np.arange(8).reshape(1, 2, 2, 2))
    array([[1.5, 5.5]], dtype=float32)
    """

    output_range = None
