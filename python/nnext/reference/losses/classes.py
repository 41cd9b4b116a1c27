"""Losses of class logits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.activations import log_softmax, softmax
from nnext.reference.arrays import Array
from nnext.reference.losses.means import mean, mean_grad
from nnext.reference.targets import classes, distributions

__all__ = [
    "cross_entropy",
    "cross_entropy_grad",
    "kl_div",
    "kl_div_grad",
]


def cross_entropy(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    class_weight: npt.ArrayLike | None = None,
) -> float:
    """Cross-entropy of ``softmax(y_pred)``: ``l_i = -log softmax(y_pred_i)[y_i]``.

    Parameters
    ----------
    y_pred : array of shape (n, classes), (n, T, classes) or (n, classes, H, W)
        Logits, any real number.
    y : integers of shape (n,) or (n, 1), (n, T) or (n, H, W), or probabilities of y_pred's shape
        The right class of each row; or how probable each class is, then ``l_i = -sum_j y_ij log softmax(y_pred_i)_j``.
    sample_weight : array of shape (n,), (n, T) or (n, H, W), optional
        Weights ``w_i >= 0`` of samples, steps or places; 1 when absent.
    label_smoothing : float
        e: rows of targets y become ``(1 - e) y + e / classes``. Source: Szegedy et al., CVPR 2016.
    class_weight : array of shape (classes,), optional
        c: each ``y_ij`` is multiplied by ``c_j``.

    Returns
    -------
    float
        ``sum_i w_i l_i / sum_i w_i``; with `class_weight`, over the weights of labels, ``sum_i w_i sum_j c_j y_ij``.

    Raises
    ------
    ValueError
        As `mse`, and when a label is not one of 0 to classes - 1.

    Examples
    --------
    >>> round(cross_entropy([[0.0, 0.0], [2.0, 0.0]], [1, 0]), 4)
    0.41
    """
    x, t, scale = classes("cross_entropy", y_pred, y, sample_weight)
    t, scale = _adjusted(t, scale, label_smoothing, class_weight)
    terms = np.multiply(t, log_softmax(x), where=t != 0, out=np.zeros_like(x))  # 0 * log 0 counts as 0
    return mean(scale, -terms.sum(axis=1, keepdims=True))


def cross_entropy_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    class_weight: npt.ArrayLike | None = None,
) -> Array:
    """Gradient of `cross_entropy`, ``softmax(y_pred) - y`` with y as probabilities that sum to 1.

    Arguments and errors are those of `cross_entropy`; the result has y_pred's shape.

    Examples
    --------
    >>> cross_entropy_grad([[0.0, 0.0], [0.0, 0.0]], [1, 0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    x, t, scale = classes("cross_entropy_grad", y_pred, y, sample_weight)
    t, scale = _adjusted(t, scale, label_smoothing, class_weight)
    return mean_grad(scale, softmax(x) * t.sum(axis=1, keepdims=True) - t, y_pred)


def kl_div(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Divergence of ``p = softmax(y_pred)`` from rows y of probabilities: ``l_i = sum_j y_ij log(y_ij / p_ij)``.

    Source: Kullback and Leibler, Annals of Mathematical Statistics 22 (1951). Arguments and errors are those of
    `cross_entropy`, but targets are no labels.

    Examples
    --------
    >>> round(kl_div([[0.0, 0.0]], [[0.0, 1.0]]), 4), kl_div([[0.0, 0.0]], [[0.5, 0.5]])
    (0.6931, 0.0)
    """
    x, t, scale = distributions("kl_div", y_pred, y, sample_weight)
    log_ratio = np.log(np.where(t > 0, t, 1)) - log_softmax(x)
    terms = np.multiply(t, log_ratio, where=t != 0, out=np.zeros_like(x))
    return mean(scale, terms.sum(axis=1, keepdims=True))


def kl_div_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `kl_div`, ``softmax(y_pred) - y``; the result has y_pred's shape.

    Examples
    --------
    >>> kl_div_grad([[0.0, 0.0]], [[0.25, 0.75]])
    array([[ 0.25, -0.25]])
    """
    x, t, scale = distributions("kl_div_grad", y_pred, y, sample_weight)
    return mean_grad(scale, softmax(x) * t.sum(axis=1, keepdims=True) - t, y_pred)


def _adjusted(t: Array, scale: Array, smoothing: float, class_weight: npt.ArrayLike | None) -> tuple[Array, Array]:
    """Return targets as the settings make them, and the shares of the rows by the weights of their labels."""
    smooth = t if smoothing == 0 else (1 - smoothing) * t + smoothing / t.shape[1]
    if class_weight is None:
        return smooth, scale
    c = np.asarray(class_weight, dtype=np.float64)
    total = float((scale * (t @ c)[:, None]).sum())
    return (c * smooth).astype(t.dtype), scale / total if total > 0 else scale
