"""PReLU: the ReLU with a slope that is learned."""

from __future__ import annotations

from nnext._fields import number, size
from nnext.layers.base import Layer

__all__ = ["PReLU"]


class PReLU(Layer):
    """``y = x`` where x > 0, ``weight * x`` elsewhere, with a weight that is learned. He et al., ICCV 2015.

    Parameters
    ----------
    num_parameters : int
        1 for one weight, or as many as x has features, or channels, for a weight of each.
    init : float
        What the weights start from, any finite number.

    Raises
    ------
    ValueError, TypeError
        For values out of range; from the network, when there are several weights but x has more or fewer channels.

    Notes
    -----
    ``weight`` has shape (num_parameters,) in ``state_dict``, as in PyTorch. It is a parameter as others: weight_decay
    pulls it towards 0, where the layer is a `ReLU`. At 0 the gradient is that of the negative side.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.PReLU(2))
    >>> model.load_state_dict({"0.weight": [0.5, -1.0]})
    >>> model.predict([[-2.0, -2.0], [2.0, 2.0]])
    array([[-1.,  2.],
           [ 2.,  2.]], dtype=float32)
    """

    num_parameters: int = size(default=1)
    init: float = number(default=0.25)
