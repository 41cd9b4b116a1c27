"""Losses by name and as objects. Their formulas and gradients as functions are in `nnext.functional`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from nnext import _check

CustomLoss = Callable[[Any, Any], tuple[float, Any]]


class Loss:
    """Base of the losses that the core computes. ``name`` is what ``compile(loss=...)`` takes too.

    Examples
    --------
    >>> import nnext as nn
    >>> isinstance(nn.CrossEntropy(), nn.losses.Loss)
    True
    """

    name: ClassVar[str]


@dataclass(frozen=True)
class MSE(Loss):
    """Mean squared error over samples and outputs, ``mean((y_pred - y)^2)``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.MSE().name
    'mse'
    """

    name: ClassVar[str] = "mse"


@dataclass(frozen=True)
class BCE(Loss):
    """Binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``, each log at least -100.

    After a last ``Sigmoid`` layer it is computed from the logits, in the stable form of ``BCEWithLogits``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.BCE().name
    'bce'
    """

    name: ClassVar[str] = "bce"


@dataclass(frozen=True)
class BCEWithLogits(Loss):
    """Binary cross-entropy of ``sigmoid(z)``, computed as ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.BCEWithLogits().name
    'bce_with_logits'
    """

    name: ClassVar[str] = "bce_with_logits"


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy of ``softmax(z)`` with class labels or one-hot rows, ``mean(logsumexp(z) - z[label])``.

    After a last ``Softmax`` layer, too, it is computed from the logits.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.CrossEntropy().name
    'cross_entropy'
    """

    name: ClassVar[str] = "cross_entropy"


LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (MSE, BCE, BCEWithLogits, CrossEntropy)}


def get(loss: Any) -> Loss | CustomLoss:
    """Look a loss up by name; a loss object or a function ``f(y_pred, y) -> (loss, grad)`` is given back.

    Parameters
    ----------
    loss : str, Loss or callable

    Raises
    ------
    TypeError, ValueError
        For anything else, or an unknown name.

    Examples
    --------
    >>> get("mse")
    MSE()
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, type) and issubclass(loss, Loss):
        return loss()
    if callable(loss):
        function: CustomLoss = loss
        return function
    return LOSSES[_check.choice("compile", "loss", loss, LOSSES)]()
