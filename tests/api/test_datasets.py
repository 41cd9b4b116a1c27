"""Data sets: their contents, and how samples are split."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnext import datasets

# ---- Digits and computed sets ---------------------------------------------------------------------------------------


def test_digits_are_scikit_learns_and_small() -> None:
    X, y = datasets.load_digits()
    assert (X.shape, X.dtype, y.shape, y.dtype) == ((1797, 64), np.float32, (1797,), np.int64)
    assert (X.min(), X.max()) == (0, 16)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (Path(datasets.__file__).parent / "data" / "digits.npz").stat().st_size < 100_000
    theirs = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed, whose digits these are")
    expected = theirs.load_digits()
    np.testing.assert_array_equal(X, expected.data)
    np.testing.assert_array_equal(y, expected.target)


def test_moons_lie_on_two_half_circles() -> None:
    X, y = datasets.make_moons(101, noise=0)
    assert (X.shape, X.dtype, y.dtype, np.bincount(y).tolist()) == ((101, 2), np.float32, np.int64, [51, 50])
    centre = np.where(y[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(np.hypot(*(X - centre).T), 1, atol=4 * eps)
    assert (X[y == 0, 1] >= -eps).all()
    assert (X[y == 1, 1] <= 0.5 + eps).all()


def test_spirals_turn_once() -> None:
    X, y = datasets.make_spirals(400, n_classes=4, noise=0)
    assert (X.shape, X.dtype, y.dtype, np.bincount(y).tolist()) == ((400, 2), np.float32, np.int64, [100] * 4)
    radius = np.hypot(*X.astype(np.float64).T)
    assert abs(radius.max() - 1) < 1e-6
    turned = np.exp(2j * np.pi * (radius + y / 4)) * radius
    np.testing.assert_allclose(X, np.stack([turned.real, turned.imag], axis=1), atol=1e-5)


@pytest.mark.parametrize("make", [datasets.make_moons, datasets.make_spirals])
def test_made_sets_depend_on_the_seed_and_are_shuffled(make: Any) -> None:
    X, y = make(300, noise=0.1, seed=3)
    np.testing.assert_array_equal(X, make(300, noise=0.1, seed=3)[0])
    assert not np.array_equal(X, make(300, noise=0.1, seed=4)[0])
    assert len(set(y[:20].tolist())) == len(set(y.tolist()))
    clean = make(300, noise=0.0, seed=3)[0]
    assert abs((X - clean).std() - 0.1) < 5 * 0.1 / np.sqrt(2 * X.size)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.make_moons(1), r"\[make_moons\] n_samples is 1; give a whole number from 2"),
        (lambda: datasets.make_moons(seed=-1), r"\[make_moons\] seed is -1; give a whole number from 0"),
        (lambda: datasets.make_spirals(seed=2**64), r"\[make_spirals\] seed is 18446744073709551616"),
        (lambda: datasets.make_moons(noise=-1.0), r"\[make_moons\] noise is -1.0"),
        (lambda: datasets.make_moons(noise=float("nan")), "noise is nan"),
        (lambda: datasets.make_spirals(n_classes=1), "n_classes is 1"),
        (lambda: datasets.make_spirals(2, n_classes=3), r"\[make_spirals\] n_samples is 2; give a whole number from 3"),
    ],
)
def test_made_sets_refuse_what_makes_no_sense(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["n_samples", "n_classes", "noise", "seed"])
@pytest.mark.parametrize("wrong", [True, "3", None, [3], 3.5])
def test_made_sets_take_numbers_only(name: str, wrong: Any) -> None:
    if name == "noise" and wrong == 3.5:
        return
    with pytest.raises(TypeError, match=rf"\[make_spirals\] {name} is .*; give a (whole )?number"):
        datasets.make_spirals(**{name: wrong})


# ---- Splitting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize(("test_size", "expected"), [(0.2, 20), (0.201, 21), (7, 7), (np.int64(99), 99)])
def test_a_split_is_a_partition(test_size: Any, expected: int, stratify: bool) -> None:
    X, y = np.arange(100), np.arange(100) % 3
    X_train, X_test, y_train, y_test = datasets.train_test_split(X, y, test_size=test_size, seed=1, stratify=stratify)
    assert len(X_test) == len(y_test) == expected
    assert sorted([*X_train, *X_test]) == list(range(100))
    np.testing.assert_array_equal(y_train, X_train % 3)
    np.testing.assert_array_equal(y_test, X_test % 3)
    again = datasets.train_test_split(X, y, test_size=test_size, seed=1, stratify=stratify)
    np.testing.assert_array_equal(again[0], X_train)
    assert not np.array_equal(X_train, np.sort(X_train)) or len(X_train) == 1


@pytest.mark.parametrize("n_test", range(1, 30))
def test_a_stratified_split_keeps_the_proportions(n_test: int) -> None:
    y = np.repeat([5, 7, 9, 11], [3, 1, 20, 6])
    _, _, y_train, y_test = datasets.train_test_split(np.zeros((30, 2)), y, test_size=n_test)
    assert len(y_test) == n_test
    for label, size in zip([5, 7, 9, 11], [3, 1, 20, 6], strict=True):
        assert abs((y_test == label).sum() - size * n_test / 30) < 1
        assert (y_test == label).sum() + (y_train == label).sum() == size
    one_hot = (y[:, None] == [5, 7, 9, 11]).astype(np.float32)
    rows = datasets.train_test_split(np.zeros((30, 2)), one_hot, test_size=n_test)[3]
    assert (abs(rows.sum(axis=0) - np.array([3, 1, 20, 6]) * n_test / 30) < 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3], [1, 2]), r"\[train_test_split\] X has shape \(3,\) but y has \(2,\)"),
        (([1, 2, 3], [1, 2, 3], {"test_size": 1.0}), "leaves 3 and 0; give both some"),
        (([1, 2, 3], [1, 2, 3], {"test_size": 0}), "leaves 0 and 3"),
        (([1, 2, 3], [1, 2, 3], {"test_size": -1}), "test_size -1"),
        (([1, 2, 3], [1, 2, 3], {"test_size": float("nan")}), r"\[train_test_split\] test_size is nan; give a finite"),
        (([1, 2, 3], [1, 2, 3], {"seed": -1}), r"\[train_test_split\] seed is -1"),
        (([1, 2, 3], [0.5, 1.5, 2.5]), "stratify=False"),
        (([1, 2, 3], [0.0, np.nan, 1.0]), "stratify=False"),
    ],
)
def test_a_split_refuses_what_makes_no_sense(arguments: Any, message: str) -> None:
    X, y, *options = arguments
    with pytest.raises(ValueError, match=message):
        datasets.train_test_split(X, y, **dict(*options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_size": True}, "test_size is True; give a number"),
        ({"test_size": "half"}, "test_size is 'half'; give a number"),
        ({"seed": None}, "seed is None; give a whole number"),
        ({"stratify": [0, 0, 1, 1]}, r"stratify is \[0, 0, 1, 1\]; give True or False"),
        ({"random_state": 3}, "unknown argument 'random_state'; use seed"),
    ],
)
def test_a_split_takes_what_it_says(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=rf"\[train_test_split\] {message}"):
        datasets.train_test_split([[1], [2], [3], [4]], [0, 0, 1, 1], **options)
