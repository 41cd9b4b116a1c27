"""What is refused of X and its scale while X is looked at where it lies."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from sparse import csr
from support import assert_same_bits, unchanged

FEATURES, CLASSES = 9, 3
X = np.linspace(0, 1, 6 * FEATURES).reshape(6, FEATURES)
Y = np.arange(6) % CLASSES


def network(dtype: str = "float32") -> nn.Sequential:
    model = nn.Sequential(nn.Flatten(), nn.Linear(FEATURES, CLASSES), dtype=dtype)
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=1e-4))
    return model


DOORS: dict[str, Callable[..., Any]] = {
    "fit": lambda model, x, **more: model.fit(x, Y, verbose=0, **more),
    "evaluate": lambda model, x, **more: model.evaluate(x, Y, **more),
    "predict": lambda model, x, **more: model.predict(x, **more),
    "forward": lambda model, x, **more: model.forward(x, **more),
    "loss_and_grads": lambda model, x, **more: model.loss_and_grads(x, Y, **more),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("scale", "error", "message"),
    [
        (0, ValueError, "is 0; give a finite number other than 0"),
        (np.nan, ValueError, "is nan; give a finite number"),
        (-np.inf, ValueError, "is -inf; give a finite number"),
        (1e-60, ValueError, "is 1e-60, which is 0 in float32; give a finite number"),
        (1e60, ValueError, "is 1e+60, which is inf in float32; give a finite number"),
        ("1", TypeError, "is '1'; give a number"),
        (True, TypeError, "is True; give a number"),
        ([2.0], TypeError, "is [2.0]; give a number"),
        (np.ones(1), TypeError, "is array([1.]); give a number"),
    ],
)
def test_a_scale_that_means_nothing(door: str, scale: Any, error: type[Exception], message: str) -> None:
    model = network()
    with unchanged(model), pytest.raises(error, match=re.escape(f"[{door}] scale {message}")):
        DOORS[door](model, X, scale=scale)


def test_numbers_of_any_kind_are_scales() -> None:
    model = network()
    expected = model.predict(X * 2)
    for scale in (2, 2.0, np.float32(2), np.int64(2), np.array(2.0)):
        assert_same_bits(model.predict(X, scale=scale), expected)
    assert network("float64").predict(X, scale=1e60).shape == (6, CLASSES)


def large(value: float, stored: str) -> np.ndarray:
    array = X.astype(stored)
    array[4, 2] = value
    return array


@pytest.mark.parametrize("door", DOORS)
def test_what_the_scale_makes_infinite_is_named(door: str) -> None:
    for array, scale, value in (
        (large(3e38, "float32"), 2, "3e+38"),
        (large(-3e38, "float64"), 2, "-3e+38"),
        (large(200, "uint8"), 3e36, "200"),
        (large(200, "int64"), 3e36, "200"),
    ):
        message = (
            f"[{door}] X has {value} at (4, 2), which times scale {scale:g} is infinite in float32; give a smaller"
        )
        model = network()
        for view in (array, np.hstack([array, array])[:, :FEATURES], np.asfortranarray(array)):
            with unchanged(model), pytest.raises(ValueError, match=re.escape(message)):
                DOORS[door](model, view, scale=scale)
        DOORS[door](network("float64"), array, scale=scale)
    with pytest.raises(ValueError, match=r"X has 1e\+300 .* times scale 1e\+10 is infinite in float64"):
        DOORS[door](network("float64"), large(1e300, "float64"), scale=1e10)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("scale", [1, 0.5])
def test_values_are_looked_at_where_they_lie(door: str, scale: float) -> None:
    """In blocks of rows, so that index and count must go on from one to the next; also in images."""
    model = network()
    for dtype in ("float32", "float64"):
        many = np.zeros((2000, 2, FEATURES), dtype)
        many[1500, 1, 3], many[1999, 1, 8] = -np.inf, np.nan
        between = many.copy()
        between[:, 0] = np.nan  # in columns that are not among the samples
        for view in (many[:, 1], between[:, 1], between[:, 1].reshape(2000, 3, 3)):
            index = "(1500, 3)" if view.ndim == 2 else "(1500, 1, 0)"
            message = f"[{door}] X has 2 values that are NaN or infinite, the first -inf at {index}; remove or replace"
            with unchanged(model), pytest.raises(ValueError, match=re.escape(message)):
                DOORS[door](model, view, scale=scale)
    many[:] = 0
    many[1700, 1, 1] = 1e39
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"X has 1e\+39 at \(1700, 1\), which is infinite in float32"),
    ):
        DOORS[door](model, many[:, 1], scale=1e-10)


def test_predict_lets_nan_through_but_not_what_becomes_infinite() -> None:
    model = network()
    for stored in ("float32", "float64", "float16"):
        y = model.predict(large(np.nan, stored), check=False, scale=0.5)
        assert np.isnan(y[4]).all()
        assert_same_bits(np.delete(y, 4, axis=0), model.predict(np.delete(X.astype(stored), 4, axis=0), scale=0.5))
    both = large(1e39, "float64")
    both[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"X has 1e\+39 at \(4, 2\), which is infinite in float32"):
        model.predict(both, check=False)


def test_more_rows_than_there_is_time_for_are_refused_at_once() -> None:
    """A view with a stride of 0 has them for nothing; the result would not fit the memory."""
    model = nn.Sequential(nn.Linear(1, 1000))
    X = np.broadcast_to(np.float64(0), (2**45, 1))
    with unchanged(model), pytest.raises((MemoryError, ValueError)):
        model.predict(X, scale=2)


@pytest.mark.parametrize("order", ["shuffled", "last"])
@pytest.mark.parametrize("kind", ["array", "columns", "int64", "sparse"])
def test_only_rows_that_are_used_are_looked_at_and_named_as_they_were_given(kind: str, order: str) -> None:
    """Also where others are held out, and where rows are converted first."""
    make: dict[str, Callable[[np.ndarray], Any]] = {
        "array": np.asarray, "columns": np.asfortranarray, "int64": lambda x: x.astype("int64"), "sparse": csr
    }  # fmt: skip
    numbers, weight = np.zeros((12, FEATURES)), np.ones(12)
    numbers[[2, 7], 5] = 10**12 if kind == "int64" else np.nan
    weight[[2, 7]] = 0
    scale = 1e30 if kind == "int64" else 1.0
    model = network()
    options = {"sample_weight": weight, "scale": scale, "verbose": 0, "validation_order": order}
    for split in (0.0, 0.25, 0.5):
        model.fit(make[kind](numbers), np.arange(12) % CLASSES, validation_split=split, **options)
    weight[7] = 1
    for split in (0.0, 0.25, 0.5):
        with unchanged(model), pytest.raises(ValueError, match=r"^\[fit(: validation_data)?\] X has .* at \(7, 5\)"):
            model.fit(make[kind](numbers), np.arange(12) % CLASSES, validation_split=split, **options)
