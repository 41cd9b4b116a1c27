"""Activations and softmax of nnext.functional on every instruction set, against exact values and nnext.reference."""

from typing import Any

import numpy as np
import pytest

import exact as exactly
from activation_cases import ACTIVATIONS
from layouts import LAYOUTS
from nnext import functional, reference
from support import assert_same_bits, require_two_fma_isas, unwritten, use_isa
from tolerance import ULP, assert_within, eps, exact, tiny, ulp_error

NAMES = list(ACTIVATIONS)  # of rows, of which some are the same function with other arguments
OF_ROWS = ["softmax", "log_softmax"]
FUNCTIONS = [f"{name}{suffix}" for name in [*NAMES, *OF_ROWS] for suffix in ("", "_grad")]


def activation(name: str, x: Any) -> np.ndarray:
    case = ACTIVATIONS[name]
    return getattr(functional, case.name)(x, **case.arguments)


def gradient(name: str, x: Any, *dy: Any) -> np.ndarray:
    case = ACTIVATIONS[name]
    return getattr(functional, f"{case.name}_grad")(x, *dy, **case.arguments)


def call(function: str, x: np.ndarray) -> np.ndarray:
    """Call a function, or a gradient with an upstream gradient that is not constant."""
    name = function.removesuffix("_grad")
    if name == function:
        return getattr(functional, name)(x) if name in OF_ROWS else activation(name, x)
    dy = np.cos(np.arange(x.size, dtype=x.dtype)).reshape(x.shape)
    return getattr(functional, function)(x, dy) if name in OF_ROWS else gradient(name, x, dy)


def values(dtype: str, rng: np.random.Generator, n: int = 1 << 16) -> np.ndarray:
    """Return numbers of every size: those that saturate, those around 0, denormal ones and the limits."""
    limits = np.finfo(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, limits.max, limits.min, limits.tiny, limits.smallest_subnormal, limits.eps]
    sizes = np.concatenate([rng.uniform(0, 110, n // 2), np.exp(rng.uniform(-90, 7, n // 2))])
    return np.concatenate([sizes * rng.choice([-1, 1], n // 2 * 2), special]).astype(dtype)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_is_within_its_ulp(isa: str, dtype: str, rng: np.random.Generator, name: str) -> None:
    x = values(dtype, rng)
    y = activation(name, x)
    assert y.dtype == dtype
    expected = exactly.value(ACTIVATIONS[name].value, x)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(y[~finite], expected[~finite])
    assert (ulp_error(y[finite], expected[finite]) <= np.broadcast_to(ACTIVATIONS[name].ulp(x), x.shape)[finite]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_is_within_its_bound(isa: str, dtype: str, rng: np.random.Generator, name: str) -> None:
    x = values(dtype, rng)
    x = x[np.isfinite(x)]
    dy = rng.normal(size=x.shape).astype(dtype)
    dx = gradient(name, x, dy)
    assert dx.dtype == dtype
    bound = np.abs(dy) * eps(dtype) * ACTIVATIONS[name].gradient(x)
    # Where gelu's sigmoid is subnormal, it is off by the smallest number before it is multiplied by x z' < |x|^3.
    subnormal = tiny(dtype) * (2 + np.abs(dy) * np.minimum(np.abs(x), 40).astype(np.float64) ** 3)
    assert_within(dx, dy * exactly.value(ACTIVATIONS[name].derivative, x), bound + subnormal)
    assert_same_bits(gradient(name, x), gradient(name, x, np.ones_like(x)))


@pytest.mark.parametrize("name", NAMES)
def test_slope_and_curvature_are_the_least_bounds(name: str) -> None:
    """On a grid of which no step misses a hundredth of them."""
    case, x = ACTIVATIONS[name], np.linspace(-8, 8, 16001)
    slope = getattr(reference, f"{case.name}_grad")(x, **case.arguments)
    assert 0.99 * case.slope <= np.abs(slope).max() <= case.slope
    bends = np.abs(np.diff(slope)) / 1e-3
    for kink in case.kinks:
        bends[(x[:-1] <= kink) & (x[1:] >= kink)] = 0
    assert 0.99 * case.curvature <= bends.max() <= case.curvature + 1e-9  # slopes are rounded


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nan_comes_out_of_the_lane_it_went_into(isa: str, dtype: str, rng: np.random.Generator, function: str) -> None:
    """Softmax spreads it over its row, and no further; a gradient of a piecewise linear function passes dy on."""
    x = rng.normal(size=(1, 67) if "softmax" not in function else (9, 13)).astype(dtype)
    clean = call(function, x)
    case = ACTIVATIONS.get(function.removesuffix("_grad"))
    linear = case is not None and function.endswith("_grad") and not case.curvature
    for at in np.ndindex(x.shape):
        broken = x.copy()
        broken[at] = np.nan
        y = call(function, broken)
        touched = np.zeros(x.shape, bool)
        touched[at[0] if "softmax" in function else at] = True
        assert np.isnan(y[touched]).all() or linear
        assert_same_bits(y[~touched], clean[~touched])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nan_in_the_upstream_gradient_comes_out(isa: str, dtype: str, rng: np.random.Generator, function: str) -> None:
    if not function.endswith("_grad"):
        function += "_grad"
    x = rng.uniform(0.1, 0.9, size=(2, 37)).astype(dtype)  # where relu and hardtanh let gradients through
    for j in range(37):
        dy = np.ones_like(x)
        dy[0, j] = np.nan
        name = function.removesuffix("_grad")
        dx = getattr(functional, function)(x, dy) if name in OF_ROWS else gradient(name, x, dy)
        assert np.isnan(dx[0] if "softmax" in function else dx[0, j]).all()
        assert np.isfinite(dx[1]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", ["", "_grad"])
def test_no_length_or_layout_changes_a_bit(
    isa: str, dtype: str, rng: np.random.Generator, name: str, suffix: str
) -> None:
    x = rng.normal(size=131).astype(dtype)
    whole = call(name + suffix, x)
    for n in range(132):
        assert_same_bits(call(name + suffix, x[:n]), whole[:n])
    for make in LAYOUTS.values():
        view = make(x[:120].reshape(4, 5, 6))
        with unwritten(view):
            assert_same_bits(call(name + suffix, view), whole[:120].reshape(4, 5, 6))
    assert call(name + suffix, x[0]).shape == ()


# ---- Softmax and its logarithm --------------------------------------------------------------------------------------


def exact_softmax(x: np.ndarray) -> np.ndarray:
    with np.errstate(under="ignore"):
        e = np.exp(exact(x) - exact(x).max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("scale", [1, 30])
def test_softmax_is_within_the_bound_for_rows_of_1_to_70(
    isa: str, dtype: str, rng: np.random.Generator, scale: float
) -> None:
    """X - max is off by eps / 2 of itself, which exp makes relative; exp by ULP, the sum by n, the rest by 2."""
    for n in range(1, 71):
        x = (scale * rng.normal(size=(3, n))).astype(dtype)
        expected = exact_softmax(x)
        distance = float(np.ptp(x, axis=1).max())
        y = functional.softmax(x)
        assert_within(y, expected, eps(dtype) * (distance + 2 * ULP + n + 2) * expected + 2 * np.finfo(dtype).tiny)
        assert_within(y.sum(axis=1), np.ones(3), eps(dtype) * (n + 2 * ULP + 2))


def test_softmax_of_large_equal_and_impossible_scores(isa: str, dtype: str) -> None:
    largest = np.finfo(dtype).max
    assert_same_bits(functional.softmax(np.full((2, 4), largest, dtype)), np.full((2, 4), 0.25, dtype))
    assert_same_bits(functional.softmax(np.array([[largest, -largest]], dtype)), np.array([[1, 0]], dtype))
    assert_same_bits(functional.softmax(np.array([[0, -np.inf]], dtype)), np.array([[1, 0]], dtype))
    assert np.isnan(functional.softmax(np.array([[-np.inf, -np.inf]], dtype))).all()  # no score at all: 0 / 0
    assert functional.softmax(np.zeros((0, 3), dtype)).shape == (0, 3)
    assert_same_bits(functional.softmax(np.zeros(4, dtype)), np.full(4, 0.25, dtype))


def test_softmax_grad_is_the_references(isa: str, dtype: str, rng: np.random.Generator) -> None:
    for n in (1, 2, 7, 16, 33, 64):
        x, dy = rng.normal(size=(2, 5, n)).astype(dtype)
        y = exact_softmax(x)
        expected = y * (exact(dy) - (exact(dy) * y).sum(axis=1, keepdims=True))
        size = np.abs(dy) + (np.abs(dy) * y).sum(axis=1, keepdims=True)
        assert_within(functional.softmax_grad(x, dy), expected, eps(dtype) * (2 * n + 20) * y * size)


@pytest.mark.parametrize("scale", [1, 30])
def test_log_softmax_is_within_the_bound_for_rows_of_1_to_70(
    isa: str, dtype: str, rng: np.random.Generator, scale: float
) -> None:
    """X - max is off by eps / 2 of itself, the sum by ULP and n relative to it, its logarithm by ULP."""
    for n in range(1, 71):
        x = (scale * rng.normal(size=(3, n))).astype(dtype)
        wide = exact(x) - exact(x).max(axis=1, keepdims=True)
        expected = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
        bound = np.abs(wide) + np.abs(expected) + ULP * np.log(n) + ULP + n + 1
        assert_within(functional.log_softmax(x), expected, eps(dtype) * bound)


def test_log_softmax_of_large_equal_and_impossible_scores(isa: str, dtype: str) -> None:
    far = np.array([[0, -1e4], [1e30, 1e30]], dtype)
    expected = np.array([[0, -1e4], [-np.log(2), -np.log(2)]]).astype(dtype)
    assert_within(functional.log_softmax(far), expected, 2 * eps(dtype))
    assert_same_bits(functional.log_softmax(np.array([[0, -np.inf]], dtype)), np.array([[0, -np.inf]], dtype))
    assert np.isnan(functional.log_softmax(np.array([[-np.inf, -np.inf]], dtype))).all()  # no score at all


def test_log_softmax_grad_is_the_references(isa: str, dtype: str, rng: np.random.Generator) -> None:
    for n in (1, 2, 7, 16, 33, 64):
        x, dy = rng.normal(size=(2, 5, n)).astype(dtype)
        y = exact_softmax(x)
        expected = exact(dy) - y * exact(dy).sum(axis=1, keepdims=True)
        size = np.abs(dy) + (2 * n + 20) * y * np.abs(dy).sum(axis=1, keepdims=True)
        assert_within(functional.log_softmax_grad(x, dy), expected, eps(dtype) * size)


@pytest.mark.parametrize("name", OF_ROWS)
def test_rows_of_nothing_are_refused(name: str) -> None:
    for x in (np.zeros((3, 0)), np.float64(1)):
        with pytest.raises(
            ValueError, match=rf"\[{name}\] x has shape .*; give at least one value along the last axis"
        ):
            getattr(functional, name)(x)


# ---- All together ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_instruction_sets_with_fma_agree_in_every_bit(dtype: str, rng: np.random.Generator, function: str) -> None:
    isas = require_two_fma_isas()
    x = values(dtype, rng)
    x = np.concatenate([x, np.full(-x.size % 1031, np.nan, dtype)]).reshape(-1, 1031)
    results = []
    for name in isas:
        with use_isa(name):
            results.append(call(function, x))
    assert_same_bits(np.isnan(results[0]), np.isnan(results[1]))  # which NaN is not promised
    assert_same_bits(np.nan_to_num(results[0]), np.nan_to_num(results[1]))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("given", "computed"), [("float16", "float32"), ("int32", "float64"), ("bool", "float64"), ("uint8", "float64")]
)
def test_other_types_are_computed_in_the_nearest(function: str, given: str, computed: str) -> None:
    x = np.array([[0, 1, 1], [1, 0, 1]]).astype(given)
    y = call(function, x.astype(computed))
    assert y.dtype == computed
    function = function.replace("gelu_tanh", "gelu")
    assert_same_bits(getattr(functional, function)(x), getattr(functional, function)(x.astype(computed)))


def test_an_upstream_gradient_of_another_shape_is_refused() -> None:
    for function in [*{f"{case.name}_grad" for case in ACTIVATIONS.values()}, *(f"{name}_grad" for name in OF_ROWS)]:
        with pytest.raises(
            ValueError, match=rf"\[{function}\] x has shape \(2, 3\) but dy \(3, 2\); give both the same"
        ):
            getattr(functional, function)(np.ones((2, 3)), np.ones((3, 2)))
