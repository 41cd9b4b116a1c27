"""Attention over time: the steps of a sequence added up, each as much as it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from nnext.reference import initializers
from nnext.reference.activations import softmax, softmax_grad
from nnext.reference.arrays import Array, lines_of_steps, steps_of_lines
from nnext.reference.layers.base import Draw, Layer

__all__ = ["AttentionPooling"]


class Attended(NamedTuple):
    """What a forward pass leaves for the way back: x as steps, u and the shares of the steps."""

    x: Array
    u: Array
    shares: Array
    lines: bool  # x came as signals, images of one line


@dataclass
class AttentionPooling(Layer):
    """``y = sum over t of p[t] x[t]`` with ``p = softmax(u @ context)`` over the steps and ``u = tanh(x W^T + b)``.

    Source: Yang et al., Hierarchical Attention Networks for Document Classification, NAACL 2016.

    Parameters
    ----------
    weight : array of shape (attention_size, in_features)
    bias, context : array of shape (attention_size,)

    Examples
    --------
    The first feature decides, and the first step has more of it:

    >>> layer = AttentionPooling(np.array([[1.0, 0.0]]), np.array([0.0]), np.array([1.0]))
    >>> y, saved = layer.forward(np.array([[[2.0, 10.0], [-2.0, 20.0]]]), None)
    >>> y.round(3), saved.shares.round(3)
    (array([[ 1.492, 11.27 ]]), array([[0.873, 0.127]]))
    """

    weight: Array
    bias: Array
    context: Array

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its arrays, whose sizes are its own."""
        return cls(tensors["weight"], tensors["bias"], tensors["context"])

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Draw PyTorch's default: as for a Linear layer at each step, and one without a bias after it."""
        size = config["attention_size"]
        weight, bias = initializers.linear_default(size, config["in_features"], seed, number)
        context = initializers.fan_in_uniform((size,), seed=seed, layer=number, parameter=2, fans=(size, 1))
        return {"weight": weight, "bias": bias, "context": context}

    def parameters(self) -> dict[str, Array]:
        """Return weight, bias and context."""
        return {"weight": self.weight, "bias": self.bias, "context": self.context}

    def image_axes(self) -> int:
        """Return 0: features are last."""
        return 0

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Attended]:
        """(n, T, F), or signals (n, F, 1, T), -> (n, F)."""
        lines = x.ndim == 4
        x = steps_of_lines(x) if lines else x
        if x.ndim != 3 or x.shape[-1] != self.weight.shape[1]:
            raise ValueError(
                f"[attention_pooling] x has shape {x.shape} but the layer expects (rows, steps, "
                f"{self.weight.shape[1]}); change in_features, or what comes before the layer"
            )
        u = np.tanh(x @ self.weight.T + self.bias)
        shares = softmax(u @ self.context)
        return np.einsum("nt,ntf->nf", shares, x), Attended(x, u, shares, lines)

    def backward(self, dy: Array, saved: Attended) -> tuple[Array, dict[str, Array]]:
        """Go back through the sum, the softmax, the product with the context, tanh and the affine map."""
        x, u, shares, lines = saved
        de = softmax_grad(u @ self.context, np.einsum("ntf,nf->nt", x, dy))
        dz = de[..., None] * self.context * (1 - u * u)
        grads = {
            "weight": np.einsum("nta,ntf->af", dz, x),
            "bias": dz.sum(axis=(0, 1)),
            "context": np.einsum("nt,nta->a", de, u),
        }
        dx = dz @ self.weight + shares[..., None] * dy[:, None]
        return (lines_of_steps(dx) if lines else dx), grads
