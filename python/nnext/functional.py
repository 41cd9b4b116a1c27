"""Functions on arrays: matrix product, activations and losses with their gradients. They keep no state.

float32 and float16 are computed and returned in float32, everything else in float64. NaN in gives NaN out. The same
names with the same arguments, in plain NumPy, are in `nnext.reference`.

An activation's ``f_grad(x, dy=1.0)`` is the gradient with respect to x for an upstream gradient dy; a loss's
``f_grad(y_pred, y)`` is the gradient with respect to y_pred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def matmul(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
) -> Array:
    """Return the matrix product of a and b, each transposed on demand.

    Parameters
    ----------
    a : array_like of shape (m, k), or (k, m) with transpose_a
    b : array_like of shape (k, n), or (n, k) with transpose_b
        Both with any strides; no copy of the whole is made.
    transpose_a, transpose_b : bool
    out : ndarray of shape (m, n), optional
        Where to write the result: C-contiguous, of its dtype.

    Returns
    -------
    ndarray of shape (m, n)

    Raises
    ------
    ValueError
        When the shapes do not fit.
    TypeError
        When an argument is no array of real numbers.

    Notes
    -----
    ``c[i, j] = sum_p a[i, p] b[p, j]``, summed in increasing order of p with one rounding a term, so that the result
    does not depend on the number of threads.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]])
    """
    return _core.matmul(a, b, bool(transpose_a), bool(transpose_b), out)


# ---- activations ----------------------------------------------------------------------------------------------------


def _gradient(name: str, x: npt.ArrayLike, dy: npt.ArrayLike, slope: float = 0.0) -> Array:
    return _core.activation_grad(name, x, _upstream(x, dy), slope)


def _upstream(x: npt.ArrayLike, dy: npt.ArrayLike) -> npt.ArrayLike:
    """Spread a single upstream gradient over x's shape."""
    if np.ndim(dy) == 0 and np.ndim(x) > 0:
        return np.broadcast_to(np.asarray(dy), np.shape(x))
    return dy


def identity(x: npt.ArrayLike) -> Array:
    """Return x.

    Examples
    --------
    >>> identity([1.0, -2.0])
    array([ 1., -2.])
    """
    return _core.activation("identity", x, 0.0)


def identity_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return dy.

    Examples
    --------
    >>> identity_grad([1.0, -2.0])
    array([1., 1.])
    """
    return _gradient("identity", x, dy)


def relu(x: npt.ArrayLike) -> Array:
    """Return ``max(x, 0)``.

    Examples
    --------
    >>> relu([1.0, -2.0])
    array([1., 0.])
    """
    return _core.activation("relu", x, 0.0)


def relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return dy where x > 0, else 0.

    Examples
    --------
    >>> relu_grad([1.0, -2.0], [5.0, 5.0])
    array([5., 0.])
    """
    return _gradient("relu", x, dy)


def leaky_relu(x: npt.ArrayLike, negative_slope: float = 0.01) -> Array:
    """Return x where x >= 0, else ``negative_slope * x``.

    Examples
    --------
    >>> leaky_relu([1.0, -2.0], 0.5)
    array([ 1., -1.])
    """
    return _core.activation("leaky_relu", x, _slope("leaky_relu", negative_slope))


def leaky_relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, negative_slope: float = 0.01) -> Array:
    """Return dy where x > 0, else ``negative_slope * dy``.

    Examples
    --------
    >>> leaky_relu_grad([1.0, -2.0], negative_slope=0.5)
    array([1. , 0.5])
    """
    return _gradient("leaky_relu", x, dy, _slope("leaky_relu_grad", negative_slope))


def _slope(operation: str, negative_slope: float) -> float:
    return _check.number(operation, "negative_slope", negative_slope, low=0, above=True)


def tanh(x: npt.ArrayLike) -> Array:
    """Return the hyperbolic tangent of x.

    Examples
    --------
    >>> tanh([0.0, 100.0])
    array([0., 1.])
    """
    return _core.activation("tanh", x, 0.0)


def tanh_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * (1 - tanh(x)^2)``.

    Examples
    --------
    >>> tanh_grad([0.0, 100.0])
    array([1., 0.])
    """
    return _gradient("tanh", x, dy)


def sigmoid(x: npt.ArrayLike) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> sigmoid([0.0, 100.0])
    array([0.5, 1. ])
    """
    return _core.activation("sigmoid", x, 0.0)


def sigmoid_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * s * (1 - s)`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> sigmoid_grad([0.0, 100.0])
    array([0.25, 0.  ])
    """
    return _gradient("sigmoid", x, dy)


def softmax(x: npt.ArrayLike) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along the last axis, computed from ``x - max(x)``.

    Examples
    --------
    >>> softmax([[1.0, 1.0]])
    array([[0.5, 0.5]])
    """
    return _core.softmax(x)


def softmax_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``s * (dy - sum(dy * s))`` with ``s = softmax(x)``, along the last axis.

    Examples
    --------
    >>> softmax_grad([[1.0, 1.0]], [[1.0, 0.0]])
    array([[ 0.25, -0.25]])
    """
    return _core.softmax(x, _upstream(x, dy))


# ---- losses ---------------------------------------------------------------------------------------------------------


def _loss(name: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any) -> tuple[float, Array]:
    rows = np.asanyarray(y_pred)  # a mask stays, for the core to refuse
    if rows.ndim == 1 and name != "cross_entropy":  # one output a sample
        loss, grad = _core.loss(name, rows.reshape(-1, 1), y, sample_weight)
        return loss, grad.reshape(-1)
    return _core.loss(name, y_pred, y, sample_weight)


def mse(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the mean squared error, ``mean((y_pred - y)^2)``.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,), optional
        The loss is then the weighted mean over the rows.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows.

    Examples
    --------
    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return _loss("mse", y_pred, y, sample_weight)[0]


def mse_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``mse`` with respect to y_pred.

    Examples
    --------
    >>> mse_grad([1.0, 2.0], [1.0, 4.0])
    array([ 0., -2.])
    """
    return _loss("mse", y_pred, y, sample_weight)[1]


def bce(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``.

    Each log counts as -100 at least.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Probabilities.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or targets outside [0, 1].

    Examples
    --------
    >>> round(bce([0.5, 0.5], [0.0, 1.0]), 6)
    0.693147
    """
    return _loss("bce", y_pred, y, sample_weight)[0]


def bce_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``bce`` with respect to y_pred.

    Examples
    --------
    >>> bce_grad([0.5, 0.5], [0.0, 1.0])
    array([ 1., -1.])
    """
    return _loss("bce", y_pred, y, sample_weight)[1]


def bce_with_logits(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the binary cross-entropy of ``sigmoid(z)``, ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logits z.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or targets outside [0, 1].

    Examples
    --------
    >>> bce_with_logits([-800.0, 800.0], [0.0, 1.0])
    0.0
    """
    return _loss("bce_with_logits", y_pred, y, sample_weight)[0]


def bce_with_logits_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``bce_with_logits``, ``(sigmoid(z) - y) / n``.

    Examples
    --------
    >>> bce_with_logits_grad([0.0, 0.0], [0.0, 1.0])
    array([ 0.25, -0.25])
    """
    return _loss("bce_with_logits", y_pred, y, sample_weight)[1]


def cross_entropy(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the cross-entropy of ``softmax(z)``, ``mean(logsumexp(z) - z[label])``.

    Parameters
    ----------
    y_pred : array_like of shape (n, k)
        Logits z.
    y : array_like of shape (n,) or (n, k)
        Class labels from 0 to k - 1, or rows of probabilities such as one-hot rows.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or labels that are no classes.

    Examples
    --------
    >>> round(cross_entropy([[0.0, 0.0]], [1]), 6)
    0.693147
    """
    return _loss("cross_entropy", y_pred, y, sample_weight)[0]


def cross_entropy_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``cross_entropy``, ``(softmax(z) - onehot(y)) / n``.

    Examples
    --------
    >>> cross_entropy_grad([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """
    return _loss("cross_entropy", y_pred, y, sample_weight)[1]
