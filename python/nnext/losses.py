"""Losses by name and as objects. Their formulas and gradients as functions are in `nnext.functional`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nnext._described import Described
from nnext._fields import number
from nnext._unknown import attributes_of

__all__ = ["BCE", "MSE", "BCEWithLogits", "CrossEntropy", "Huber", "Loss"]

CustomLoss = Callable[[Any, Any], tuple[float, Any]]


class Loss(Described, kind="loss"):
    """Base of the losses that the core computes. ``name`` is what ``compile(loss=...)`` takes too.

    Examples
    --------
    >>> import nnext as nn
    >>> isinstance(nn.CrossEntropy(), nn.losses.Loss), nn.CrossEntropy.name
    (True, 'cross_entropy')
    """

    # What it takes the network's outputs for: "logits" of a label each, "class_logits" of all classes together.
    takes: ClassVar[Literal["numbers", "probabilities", "logits", "class_logits"]] = "numbers"

    # After a last layer of such a type, the name of the loss that gives the same from what goes into that layer. It is
    # exact where a probability rounds to 0 or 1, and its gradient is "what it says - what it should say".
    fused_after: ClassVar[Mapping[str, str]] = {}

    def fused(self, last_layer: str) -> Loss | None:
        """Return the loss to compute together with a last layer of that type; None to compute them apart."""
        name = self.fused_after.get(last_layer)
        return self if name == self.name else None if name is None else Loss.names()[name]()


class MSE(Loss):
    """Mean squared error over samples and outputs, ``mean((y_pred - y)^2)``.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.MSE())
    >>> model.evaluate([[1.0], [2.0]], [1.0, 4.0])
    {'loss': 2.0}
    """

    name = "mse"


class Huber(Loss):
    """The mean of ``d^2 / 2`` where ``d = abs(y_pred - y) <= delta``, and of ``delta (d - delta / 2)`` elsewhere.

    A squared error that goes on as a straight line: targets that are far off pull no harder than `delta`. Huber, Annals
    of Mathematical Statistics 35 (1964); PyTorch's ``HuberLoss``.

    Parameters
    ----------
    delta : float
        Where the line begins, > 0.

    Raises
    ------
    ValueError, TypeError
        Unless delta is a finite number greater than 0.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.Huber(delta=1.0))
    >>> model.evaluate([[0.5], [100.0]], [0.0, 0.0])  # 0.125 and 99.5
    {'loss': 49.8125}
    """

    name = "huber"

    delta: float = number(default=1.0, above=0)


class BCE(Loss):
    """Binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``, each log at least -100.

    After a last ``Sigmoid`` layer it is computed from the logits, in the stable form of ``BCEWithLogits``.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Sigmoid())
    >>> model.compile(loss=nn.BCE())
    >>> model.evaluate([[-1000.0]], [1.0])  # the logarithm of a probability that is 0 in float32
    {'loss': 1000.0}
    """

    name = "bce"
    takes = "probabilities"
    fused_after: ClassVar[Mapping[str, str]] = {"Sigmoid": "bce_with_logits"}


class BCEWithLogits(Loss):
    """Binary cross-entropy of ``sigmoid(z)``, computed as ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.BCEWithLogits())
    >>> model.evaluate([[-1000.0], [1000.0]], [1.0, 1.0])
    {'loss': 500.0}
    """

    name = "bce_with_logits"
    takes = "logits"


class CrossEntropy(Loss):
    """Cross-entropy of ``softmax(z)`` with class labels or one-hot rows, ``mean(logsumexp(z) - z[label])``.

    After a last ``Softmax`` or ``LogSoftmax`` layer, too, it is computed from the logits.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 2, weight_init="zeros", bias_init="zeros"))
    >>> model.compile(loss=nn.CrossEntropy())
    >>> round(model.evaluate([[3.0]], [1])["loss"], 4)  # two classes that are alike: log(2)
    0.6931
    """

    name = "cross_entropy"
    takes = "class_logits"
    fused_after: ClassVar[Mapping[str, str]] = {"Softmax": "cross_entropy", "LogSoftmax": "cross_entropy"}


def get(loss: Any) -> Loss | CustomLoss:
    """Look a loss up by name; a loss object or a function ``f(y_pred, y) -> (loss, grad)`` is given back.

    Parameters
    ----------
    loss : str, Loss, class of losses, or callable

    Raises
    ------
    TypeError, ValueError
        For anything else, such as another class, or an unknown name.

    Examples
    --------
    >>> get("mse")
    MSE()
    """
    if callable(loss) and not isinstance(loss, type):
        function: CustomLoss = loss
        return function
    return Loss.find("compile", "loss", loss)


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
