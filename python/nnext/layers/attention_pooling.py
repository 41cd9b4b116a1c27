"""Attention over time: one row of features of a sequence, from the steps that matter."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import nested, size
from nnext.initializers import Initializer, fan_in_uniform
from nnext.layers.base import Layer, refuse_orthogonal_bias

__all__ = ["AttentionPooling"]


class AttentionPooling(Layer):
    """The steps of a sequence added up, each as much as it matters: (T, F) -> (F,), features for a `Linear`.

    ``u[t] = tanh(weight @ x[t] + bias)``, ``e[t] = context @ u[t]``, ``p = softmax(e)`` over the steps; y is the sum of
    ``p[t] x[t]``. Yang et al., Hierarchical Attention Networks for Document Classification, NAACL 2016.

    Parameters
    ----------
    in_features : int
        Features of each step, and of y; channels, if x is a signal (C, L).
    attention_size : int
        How many numbers each step is compared by with the context: those of ``u[t]``.
    weight_init, bias_init, context_init : Initializer, str or None
        Start values; None is PyTorch's default for a Linear of in_features, and for one of attention_size.

    Raises
    ------
    ValueError, TypeError
        For sizes below 1, unknown initializers, or an orthogonal bias; from the network, when x has other features.

    Notes
    -----
    ``weight`` has shape (attention_size, in_features), ``bias`` and ``context`` (attention_size,) in ``state_dict``. As
    the first layer it takes sequences, (n, T, F).

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.AttentionPooling(3, 8), nn.Linear(3, 2))
    >>> model.predict(np.ones((10, 50, 3))).shape
    (10, 2)
    """

    output_range = None

    in_features: int = size()
    attention_size: int = size()
    _: KW_ONLY
    weight_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())
    bias_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())
    context_init: Initializer | str | None = nested(of=Initializer, default=fan_in_uniform())

    def check(self) -> None:
        """Refuse a bias that cannot be."""
        refuse_orthogonal_bias("AttentionPooling", self.bias_init)
