"""Layer normalization: every sample brought to mean 0 and variance 1, or to a mean square of 1."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import flag, number, shape
from nnext.layers.base import Layer

__all__ = ["LayerNorm", "RMSNorm"]


class LayerNorm(Layer):
    """``y = (x - mean) / sqrt(variance + eps) * weight + bias`` within each sample. Ba, Kiros and Hinton, 2016.

    Mean and variance, the biased one, are those of the last axes of a sample, whose sizes are `normalized_shape`: of
    all features, or of those of each step of a sequence (T, F), or of a whole image (C, H, W). So a sample needs no
    others, and training and predictions do the same.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of these axes: F, (T, F), (C, H, W), or (H, W) for each channel on its own.
    eps : float
        Keeps the quotient finite, > 0.
    bias : bool
        Whether there is a bias beside the weight.
    elementwise_affine : bool
        Whether there are a weight and a bias, which start from 1 and 0.

    Raises
    ------
    ValueError, TypeError
        For values out of range; from the network, when the last axes of a sample have other sizes.

    Notes
    -----
    ``weight`` and ``bias`` have the shape `normalized_shape` in ``state_dict``, as in PyTorch. Source:
    arXiv:1607.06450.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.LayerNorm(2)).predict([[1.0, 3.0], [100.0, 300.0]]).round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    normalized_shape: int | tuple[int, ...] = shape()
    eps: float = number(default=1e-5, above=0)
    _: KW_ONLY
    bias: bool = flag(default=True)
    elementwise_affine: bool = flag(default=True)


class RMSNorm(Layer):
    """``y = x / sqrt(mean(x^2) + eps) * weight`` within each sample: `LayerNorm` without the mean and the bias.

    Source: Zhang and Sennrich, NeurIPS 2019.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of the last axes, as for `LayerNorm`.
    eps : float or None
        Keeps the quotient finite, > 0; None is the eps of the model's dtype, 1.2e-7 or 2.2e-16.
    elementwise_affine : bool
        Whether there is a weight, which starts from 1.

    Raises
    ------
    ValueError, TypeError
        For values out of range; from the network, when the last axes of a sample have other sizes.

    Notes
    -----
    ``weight`` has the shape `normalized_shape` in ``state_dict``, as in PyTorch.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.RMSNorm(2)).predict([[3.0, 4.0], [-300.0, 400.0]]).round(3)
    array([[ 0.849,  1.131],
           [-0.849,  1.131]], dtype=float32)
    """

    normalized_shape: int | tuple[int, ...] = shape()
    eps: float | None = number(default=None, above=0, optional=True)
    _: KW_ONLY
    elementwise_affine: bool = flag(default=True)
