"""Convolutions: the same weights at every place of an image, a signal or a sequence."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import both, flag, nested, sides, size
from nnext.initializers import Initializer, fan_in_uniform
from nnext.layers.base import Layer, refuse_orthogonal_bias

__all__ = ["Conv1d", "Conv2d"]


def _refuse_what_cannot_be(layer: Conv1d | Conv2d, operation: str) -> None:
    """Refuse groups of unequal size, a padding that there is not, and a bias that cannot be."""
    for name, channels in (("in_channels", layer.in_channels), ("out_channels", layer.out_channels)):
        if channels % layer.groups != 0:
            raise ValueError(
                f"[{operation}] groups is {layer.groups} but {name} is {channels}; give groups that divide both "
                "in_channels and out_channels"
            )
    if layer.padding == "same" and both(layer.stride) != (1, 1):
        raise ValueError(
            f"[{operation}] padding is 'same' but stride is {layer.stride}; give a stride of 1, or numbers"
        )
    refuse_orthogonal_bias(operation, layer.bias_init)


class Conv1d(Layer):
    """Cross-correlation of a signal with weights: (C, L) -> (out_channels, L'), as in PyTorch.

    ``y[o, i] = bias[o] + sum over c, a of weight[o, c, a] x[c, stride i + dilation a]`` with zeros around x where there
    is padding. Sequences are taken as they are, with features as channels: (T, F) -> (T', out_channels). Waibel et al.,
    IEEE Transactions on Acoustics, Speech, and Signal Processing 37 (1989).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of x and of y; features of each step, if x is a sequence.
    kernel_size : int
        Places of the weights.
    stride : int
        From one place of the weights to the next.
    padding : int or "same"
        Zeros at each end of x; "same" is as many as leave it as long as it is, the odd one at the end, for a stride
        of 1.
    dilation : int
        From one weight to the next: above 1 the weights spread.
    groups : int
        Channels in so many groups, each of which sees its own part of x alone; it divides both numbers of channels.
    bias : bool
        Whether to add a bias.
    weight_init, bias_init : Initializer, str or None
        Start values; None is PyTorch's default, uniform within ``1 / sqrt(fan_in)``, where fan_in is the number of
        weights of an output, ``in_channels / groups * kernel_size``.

    Raises
    ------
    ValueError, TypeError
        For sizes out of range, groups that do not divide the channels, "same" with a stride above 1, unknown
        initializers, or an orthogonal bias; from the network, when x has other channels or is shorter than the kernel.

    Notes
    -----
    ``L' = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1``. ``weight`` has shape (out_channels,
    in_channels / groups, kernel_size) and ``bias`` (out_channels,) in ``state_dict``, as in PyTorch. After layers that
    give sequences it gives sequences. As the first layer it takes signals, (n, C, L), and (n, L) of one channel; or
    sequences, where there is an `input_shape` that fits as (T, F) alone.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.GlobalMaxPool1d()).predict(np.ones((10, 2, 50))).shape
    (10, 4)
    >>> nn.Sequential(nn.Linear(8, 2), nn.Conv1d(2, 4, 3, padding="same")).predict(np.ones((10, 50, 8))).shape
    (10, 50, 4)
    """

    in_channels: int = size()
    out_channels: int = size()
    kernel_size: int = size()
    stride: int = size(default=1)
    padding: int | str = size(default=0, low=0, word="same")
    dilation: int = size(default=1)
    groups: int = size(default=1)
    bias: bool = flag(default=True)
    _: KW_ONLY
    weight_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())
    bias_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())

    def check(self) -> None:
        """Refuse groups of unequal size, a padding that there is not, and a bias that cannot be."""
        _refuse_what_cannot_be(self, "Conv1d")


class Conv2d(Layer):
    """Cross-correlation of an image with weights: (C, H, W) -> (out_channels, H', W'), as in PyTorch.

    ``y[o, i, j] = bias[o] + sum over c, a, b of weight[o, c, a, b] x[c, stride i + dilation a, stride j + dilation b]``
    with zeros around x where there is padding. LeCun et al., Proceedings of the IEEE 86 (1998).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of x and of y.
    kernel_size : int or tuple of two int
        Rows and columns of the weights; one number is for both, here and below.
    stride : int or tuple of two int
        From one place of the weights to the next.
    padding : int, tuple of two int, or "same"
        Rows and columns of zeros on each side of x; "same" is as many as leave the image as large as it is, the odd
        one at the end, for a stride of 1.
    dilation : int or tuple of two int
        From one weight to the next: above 1 the weights spread.
    groups : int
        Channels in so many groups, each of which sees its own part of x alone; it divides both numbers of channels.
    bias : bool
        Whether to add a bias.
    weight_init, bias_init : Initializer, str or None
        Start values; None is PyTorch's default, uniform within ``1 / sqrt(fan_in)``, where fan_in is the number of
        weights of an output, ``in_channels / groups`` times those of a kernel.

    Raises
    ------
    ValueError, TypeError
        For sizes out of range, groups that do not divide the channels, "same" with a stride above 1, unknown
        initializers, or an orthogonal bias; from the network, when x has other channels or is smaller than the kernel.

    Notes
    -----
    ``H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1``. ``weight`` has shape (out_channels,
    in_channels / groups, rows, columns) and ``bias`` (out_channels,) in ``state_dict``, as in PyTorch. Images without
    an axis of channels, (n, H, W), have one channel.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Conv2d(1, 6, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2))
    >>> model.predict(np.ones((10, 1, 28, 28))).shape
    (10, 6, 14, 14)
    >>> model.state_dict()["0.weight"].shape
    (6, 1, 5, 5)
    """

    in_channels: int = size()
    out_channels: int = size()
    kernel_size: int | tuple[int, int] = sides()
    stride: int | tuple[int, int] = sides(default=1)
    padding: int | tuple[int, int] | str = sides(default=0, low=0, word="same")
    dilation: int | tuple[int, int] = sides(default=1)
    groups: int = size(default=1)
    bias: bool = flag(default=True)
    _: KW_ONLY
    weight_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())
    bias_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())

    def check(self) -> None:
        """Refuse groups of unequal size, a padding that there is not, and a bias that cannot be."""
        _refuse_what_cannot_be(self, "Conv2d")
