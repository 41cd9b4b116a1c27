"""Linear: the layer with the weights."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import flag, nested, size
from nnext.initializers import Initializer, fan_in_uniform
from nnext.layers.base import Layer, refuse_orthogonal_bias

__all__ = ["Linear"]


class Linear(Layer):
    """Affine map ``y = x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
        Columns of x and of y.
    bias : bool
        Whether to add a bias.
    weight_init, bias_init : Initializer, str or None
        Start values; None is PyTorch's default, uniform within ``1 / sqrt(in_features)``.

    Raises
    ------
    ValueError, TypeError
        For sizes below 1, unknown initializers, or an orthogonal bias.

    Notes
    -----
    ``weight`` has shape (out_features, in_features) and ``bias`` (out_features,) in ``state_dict``, as in PyTorch.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(3, 2))
    >>> model.state_dict()["0.weight"].shape
    (2, 3)
    """

    in_features: int = size()
    out_features: int = size()
    bias: bool = flag(default=True)
    _: KW_ONLY
    weight_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())
    bias_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())

    def check(self) -> None:
        """Refuse a bias that cannot be."""
        refuse_orthogonal_bias("Linear", self.bias_init)
