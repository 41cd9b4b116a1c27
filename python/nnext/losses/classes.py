"""Losses of class logits: all outputs of a sample together say one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nnext._fields import number, weights
from nnext.losses.base import Loss

__all__ = ["CrossEntropy", "KLDiv"]


class CrossEntropy(Loss):
    """Cross-entropy of ``softmax(z)`` with class labels or one-hot rows, ``mean(logsumexp(z) - z[label])``.

    After a last ``Softmax`` or ``LogSoftmax`` layer, too, it is computed from the logits.

    Parameters
    ----------
    label_smoothing : float
        From 0 to 1: targets are ``(1 - label_smoothing) y + label_smoothing / classes``, y being a row with a 1 for the
        label. Szegedy et al., Rethinking the Inception Architecture, CVPR 2016.
    class_weight : sequence of float or None
        How much each class counts, >= 0: the term of each class c in a sample's loss, ``-y_c log softmax(z)_c``, is
        multiplied by ``class_weight[c]``. None: all count 1.

    Raises
    ------
    ValueError, TypeError
        For numbers that are out of range, or weights that are all 0; by ``compile`` or ``fit``, where there are not as
        many as outputs.

    Notes
    -----
    With `class_weight` the loss is the sum over samples divided by the weights of their labels, ``sum(s_i l_i) /
    sum(s_i class_weight[y_i])`` with sample weights s. That is PyTorch's ``weight`` for class labels; one-hot rows mean
    the same as labels here, where PyTorch divides by the number of samples. As for sample weights, the divisor of a
    ``fit`` is that of all its samples, not of a batch, so that a batch of rare classes counts more. Without smoothing
    it is the same as ``fit(class_weight=...)``; both together multiply.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 2, weight_init="zeros", bias_init="zeros"))
    >>> model.compile(loss=nn.CrossEntropy())
    >>> round(model.evaluate([[3.0]], [1])["loss"], 4)  # two classes that are alike: log(2)
    0.6931
    >>> model = nn.Sequential(nn.Identity(), dtype="float64")
    >>> for loss in (nn.CrossEntropy(), nn.CrossEntropy(label_smoothing=0.2)):  # being too certain costs, too
    ...     model.compile(loss=loss)
    ...     print([round(model.evaluate([[z, 0.0]], [0])["loss"], 4) for z in (0.0, 2.0, 8.0)])
    [0.6931, 0.1269, 0.0003]
    [0.6931, 0.3269, 0.8003]
    """

    name = "cross_entropy"
    takes = "class_logits"
    of_each_output = "class_weight"
    fused_after: ClassVar[Mapping[str, str]] = {"Softmax": "cross_entropy", "LogSoftmax": "cross_entropy"}

    label_smoothing: float = number(default=0.0, low=0, high=1)
    class_weight: tuple[float, ...] | None = weights(each="class", default=None)


class KLDiv(Loss):
    """Divergence of ``softmax(z)`` from distributions y over classes, ``mean(sum(y (log(y) - log(softmax(z)))))``.

    The mean is over samples: PyTorch's ``kl_div(log_softmax(z), y, reduction="batchmean")``. Targets are rows of
    probabilities that add up to 1, such as the outputs of a larger network. It has the gradient of `CrossEntropy` and
    is 0 where network and targets agree. After a last ``Softmax`` or ``LogSoftmax`` layer, too, it is computed from the
    logits. Kullback and Leibler, Annals of Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> import nnext as nn
    >>> import numpy as np
    >>> model = nn.Sequential(nn.Identity(), dtype="float64")
    >>> model.compile(loss=nn.KLDiv())
    >>> z = np.log([[0.5, 0.25, 0.25]])
    >>> [abs(round(model.evaluate(z, [y])["loss"], 4)) for y in ([0.5, 0.25, 0.25], [0, 0.5, 0.5])]
    [0.0, 0.6931]
    """

    name = "kl_div"
    takes = "class_logits"
    fused_after: ClassVar[Mapping[str, str]] = {"Softmax": "kl_div", "LogSoftmax": "kl_div"}
