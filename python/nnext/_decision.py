"""What a network's outputs mean: probabilities, labels, and the numbers that metrics compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnext import functional
from nnext.layers import Layer, Sigmoid, Softmax
from nnext.metrics import Metric

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def probabilities(loss: str | None, last: Layer, outputs: Array) -> Array:
    """Turn outputs into probabilities, where they are not already."""
    if isinstance(last, Softmax | Sigmoid):
        return outputs
    if loss in ("bce", "bce_with_logits") or outputs.shape[1] == 1:
        return outputs if loss == "bce" else functional.sigmoid(outputs)
    return functional.softmax(outputs)


def is_multilabel(loss: str | None, last: Layer, outputs: int) -> bool:
    """Tell whether each of the network's outputs is a label of its own, rather than one of several classes."""
    binary = loss in ("bce", "bce_with_logits") or (loss != "cross_entropy" and isinstance(last, Sigmoid))
    return binary and outputs > 1


def measure(metrics: Mapping[str, Metric], loss: str | None, last: Layer, y: Array, outputs: Array) -> dict[str, float]:
    """Compare outputs with targets by every metric."""
    if not metrics:
        return {}
    if loss == "bce_with_logits":
        outputs = functional.sigmoid(outputs)
    if loss == "cross_entropy" and y.ndim == 2 and y.shape[1] > 1:
        y = y.argmax(axis=1)
    elif is_multilabel(loss, last, outputs.shape[1]):
        y, outputs = y.reshape(-1), outputs.reshape(-1, 1)
    elif y.ndim == 2 and y.shape[1] == 1:
        y = y.reshape(-1)
    return {name: float(metric(y, outputs)) for name, metric in metrics.items()}
