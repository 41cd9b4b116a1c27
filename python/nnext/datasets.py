"""Data to learn with: small sets that come with the package or are computed, MNIST, and what prepares one's own.

Random choices depend on `seed` alone, not on NumPy's generators, whose streams may change between versions.
"""

from __future__ import annotations

import math
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnext import _check, _division
from nnext._calls import takes_hints
from nnext._idx import read_idx
from nnext._mnist import DatasetNotFoundError, load_fashion_mnist, load_mnist
from nnext._unknown import attributes_of
from nnext._windows import windows
from nnext.reference import random

__all__ = [
    "DatasetNotFoundError",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "make_moons",
    "make_spirals",
    "make_xor",
    "read_idx",
    "train_test_split",
    "windows",
]

Points = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]

# The stream of each random choice, so that none repeats another's numbers.
_SPLIT, _ORDER, _NOISE = (random.stream(random.DATA, layer) for layer in range(3))


def load_digits() -> Points:
    """Load 1,797 handwritten digits of 8 x 8 pixels, which come with the package.

    E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
    doi:10.24432/C50P49, CC BY 4.0: the part that scikit-learn ships, in the same order.

    Returns
    -------
    X : float32 array of shape (1797, 64)
        0 (paper) to 16 (ink), row by row; divide by 16 for training.
    y : int64 array of shape (1797,)
        0 to 9.

    Examples
    --------
    >>> X, y = load_digits()
    >>> X.shape, float(X.max()), y[:5]
    ((1797, 64), 16.0, array([0, 1, 2, 3, 4]))
    """
    with np.load(Path(__file__).parent / "data" / "digits.npz", allow_pickle=False) as file:
        return file["images"].reshape(-1, 64).astype(np.float32), file["labels"].astype(np.int64)


@takes_hints
def train_test_split(
    X: npt.ArrayLike, y: npt.ArrayLike, *, test_size: float = 0.2, seed: int = 0, stratify: bool = True
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Divide rows at random into those to train on and those to test on.

    Parameters
    ----------
    X, y : arrays of n rows
        Inputs and targets.
    test_size : float or int
        Share of the rows for the test, between 0 and 1 (rounded up), or how many.
    seed : int
        The same seed gives the same division.
    stratify : bool
        Give both parts each class in the same proportion, to within one row a class. For labels only.

    Returns
    -------
    X_train, X_test, y_train, y_test : arrays
        Copies, in random order.

    Raises
    ------
    ValueError, TypeError
        When the lengths differ, a part would be empty, y is stratified but holds no labels, or a value is out of range.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = train_test_split([[1], [2], [3], [4]], [0, 0, 1, 1], test_size=0.5)
    >>> sorted(y_test.tolist())
    [0, 1]
    """
    X, y, seed = np.asarray(X), np.asarray(y), _check.seed("train_test_split", seed)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"[train_test_split] X has shape {X.shape} but y has {y.shape}; they need the same rows")
    n, size = len(X), _check.number("train_test_split", "test_size", test_size)
    n_test = math.ceil(size * n) if isinstance(test_size, float | np.floating) else operator.index(test_size)
    if not 0 < n_test < n:
        raise ValueError(
            f"[train_test_split] test_size {test_size} of {n} rows leaves {n_test} and {n - n_test}; give both some, "
            "as a share between 0 and 1 or a number of rows"
        )
    order = random.permutation(n, seed, _SPLIT)
    if not _check.flag("train_test_split", "stratify", stratify):
        test, train = order[:n_test], order[n_test:]
    else:
        chosen = _stratified(y, order, n_test)
        test, train = order[chosen[order]], order[~chosen[order]]
    return X[train], X[test], y[train], y[test]


def _stratified(y: npt.NDArray[Any], order: npt.NDArray[np.int64], n_test: int) -> npt.NDArray[np.bool_]:
    """Mark `n_test` rows, from each class its share: the first ones in `order`."""
    if y.dtype.kind == "f" and not (y == np.floor(y)).all():
        raise ValueError("[train_test_split] y holds fractions, not labels; pass stratify=False for a regression")
    return _division.held_out(order, n_test, y)


def make_xor() -> Points:
    """Return the exclusive or: the smallest task that no single layer can learn.

    Returns
    -------
    X : float32 array of shape (4, 2)
    y : int64 array of shape (4,)

    Examples
    --------
    >>> X, y = make_xor()
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    return np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32), np.array([0, 1, 1, 0], dtype=np.int64)


@takes_hints
def make_moons(n_samples: int = 200, *, noise: float = 0.1, seed: int = 0) -> Points:
    """Return two half circles that reach into each other, one a class (the task of scikit-learn's make_moons).

    Parameters
    ----------
    n_samples : int
        How many points in all, at least 2; the classes take turns.
    noise : float
        Standard deviation of what is added to each coordinate; a half circle's radius is 1.
    seed : int
        Decides noise and order.

    Returns
    -------
    X : float32 array of shape (n_samples, 2)
    y : int64 array of shape (n_samples,)
        0 or 1, in random order.

    Raises
    ------
    ValueError, TypeError
        When a parameter is out of its range.

    Examples
    --------
    >>> X, y = make_moons(100)
    >>> X.shape, int(y.sum())
    ((100, 2), 50)
    """
    y, position = _turns("make_moons", n_samples, 2)
    angle = np.pi * position
    above = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    below = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return _finished("make_moons", np.where(y[:, None] == 0, above, below), y, noise, seed)


@takes_hints
def make_spirals(n_samples: int = 300, *, n_classes: int = 3, noise: float = 0.05, seed: int = 0) -> Points:
    """Return spiral arms that start at the centre and turn once around it, one a class.

    Parameters
    ----------
    n_samples : int
        How many points in all, at least n_classes; the classes take turns.
    n_classes : int
        How many arms, at least 2.
    noise : float
        Standard deviation of what is added to each coordinate; an arm is 1 long.
    seed : int
        Decides noise and order.

    Returns
    -------
    X : float32 array of shape (n_samples, 2)
    y : int64 array of shape (n_samples,)
        0 to n_classes - 1, in random order.

    Raises
    ------
    ValueError, TypeError
        When a parameter is out of its range.

    Examples
    --------
    >>> X, y = make_spirals(90, n_classes=3)
    >>> X.shape, np.bincount(y)
    ((90, 2), array([30, 30, 30]))
    """
    n_classes = _check.integer("make_spirals", "n_classes", n_classes, low=2)
    y, radius = _turns("make_spirals", n_samples, n_classes)
    angle = 2 * np.pi * (radius + y / n_classes)
    return _finished("make_spirals", radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y, noise, seed)


def _turns(operation: str, n_samples: int, classes: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Deal the points out to the classes, at least one a class, and spread those of a class evenly over [0, 1]."""
    n_samples = _check.integer(operation, "n_samples", n_samples, low=classes)
    index = np.arange(n_samples, dtype=np.int64)
    return index % classes, (index // classes) / max(1, (n_samples - 1) // classes)


def _finished(
    operation: str, points: npt.NDArray[np.float64], y: npt.NDArray[np.int64], noise: float, seed: int
) -> Points:
    """Add noise, and shuffle: the last rows are to be as good a sample as the first."""
    noise, seed = _check.number(operation, "noise", noise, low=0), _check.seed(operation, seed)
    order = random.permutation(len(y), seed, _ORDER)
    points = points + noise * random.normal(seed, _NOISE, points.size).reshape(points.shape)
    return points[order].astype(np.float32), y[order]


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
