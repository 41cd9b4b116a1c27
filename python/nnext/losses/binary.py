"""Losses of outputs that each say yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nnext._fields import number, weights
from nnext.losses.base import Loss

__all__ = ["BCE", "BCEWithLogits", "Focal", "Hinge"]


class BCE(Loss):
    """Binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``, each log at least -100.

    After a last ``Sigmoid`` layer it is computed from the logits, in the stable form of ``BCEWithLogits``.

    Parameters
    ----------
    pos_weight : float, sequence of float or None
        How much a target of 1 counts beside one of 0, >= 0: a number, or one for each output. None is 1.

    Raises
    ------
    ValueError, TypeError
        For weights that are negative or no numbers; by ``compile`` or ``fit``, where there are not as many as outputs.

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
    of_each_output = "pos_weight"
    fused_after: ClassVar[Mapping[str, str]] = {"Sigmoid": "bce_with_logits"}

    pos_weight: float | tuple[float, ...] | None = weights(each="output", one_for_all=True, default=None)


class BCEWithLogits(Loss):
    """Binary cross-entropy of ``sigmoid(z)``, computed as ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Parameters
    ----------
    pos_weight : float, sequence of float or None
        How much a target of 1 counts beside one of 0, >= 0: a number, or one for each output. None is 1.

    Raises
    ------
    ValueError, TypeError
        For weights that are negative or no numbers; by ``compile`` or ``fit``, where there are not as many as outputs.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity())
    >>> model.compile(loss=nn.BCEWithLogits())
    >>> model.evaluate([[-1000.0], [1000.0]], [1.0, 1.0])
    {'loss': 500.0}
    >>> model.compile(loss=nn.BCEWithLogits(pos_weight=3.0))  # as if every sample of class 1 were there three times
    >>> model.evaluate([[-1000.0], [1000.0]], [1.0, 1.0])
    {'loss': 1500.0}
    """

    name = "bce_with_logits"
    takes = "logits"
    of_each_output = "pos_weight"

    pos_weight: float | tuple[float, ...] | None = weights(each="output", one_for_all=True, default=None)


class Focal(Loss):
    """Binary cross-entropy of ``sigmoid(z)`` times ``(1 - p)^gamma``, where p is the probability of the right label.

    What is well classified counts little, so that a few hard samples are not lost among many easy ones. For one output
    or several labels; after a last ``Sigmoid`` layer, too, it is computed from the logits. ``predict_proba`` gives
    ``sigmoid(z)``, which this loss leaves less certain than cross-entropy does. Lin et al., Focal Loss for Dense Object
    Detection, ICCV 2017; torchvision's ``sigmoid_focal_loss``.

    Parameters
    ----------
    gamma : float
        How little the easy ones count, >= 0; 0 is binary cross-entropy.
    alpha : float or None
        How much a target of 1 counts, from 0 to 1, and 1 - alpha one of 0. None: both count 1.

    Raises
    ------
    ValueError, TypeError
        For numbers that are out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity(), dtype="float64")
    >>> for loss in (nn.BCEWithLogits(), nn.Focal(gamma=2.0)):
    ...     model.compile(loss=loss)
    ...     print([round(model.evaluate([[z]], [1])["loss"], 4) for z in (-2.0, 0.0, 2.0)])
    [2.1269, 0.6931, 0.1269]
    [1.6501, 0.1733, 0.0018]
    """

    name = "focal"
    takes = "logits"
    fused_after: ClassVar[Mapping[str, str]] = {"Sigmoid": "focal"}

    gamma: float = number(default=2.0, low=0)
    alpha: float | None = number(default=None, low=0, high=1, optional=True)


class Hinge(Loss):
    """The mean of ``max(0, 1 - y y_pred)`` for labels y of -1 and 1; labels of 0 and 1 are taken as such.

    The loss of support vector machines: what is on the right side by 1 or more costs nothing. The sign of an output
    decides; for several outputs whose rows of labels have a single 1 the largest does. There are no probabilities. At
    the kink, ``y y_pred == 1``, the gradient is 0. Keras' ``Hinge``; Cortes and Vapnik, Machine Learning 20 (1995).

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity(), dtype="float64")
    >>> model.compile(loss=nn.Hinge(), metrics=["accuracy"])
    >>> model.evaluate([[2.0], [0.5], [0.5]], [1, 1, -1])  # 0, 0.5 and 1.5
    {'loss': 0.6666666666666666, 'accuracy': 0.6666666666666666}
    >>> model.predict_classes([[2.0], [-0.5]])
    array([ 1, -1])
    """

    name = "hinge"
    takes = "margins"
    any_target: ClassVar[float] = 1.0
