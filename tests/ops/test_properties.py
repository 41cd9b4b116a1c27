"""Properties of the functions, drawn by Hypothesis, against nnext.reference and NumPy."""

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import exact as exactly
from activation_cases import ACTIVATIONS
from cases import LOSSES
from nnext import functional, reference
from strategies import DTYPES, FINITE, LAYOUT, SEEDS, SIZES, matrices, normal, vectors
from support import assert_same_bits, unwritten
from tolerance import ULP, assert_within, eps, exact, product_bound, tiny, ulp_error

NAMES = st.sampled_from(sorted(ACTIVATIONS))
CLASSES = st.integers(2, 40)
ANY = st.floats(width=32, allow_nan=True, allow_infinity=True, allow_subnormal=True)
LARGE = st.floats(-100, 100, width=32, allow_subnormal=True)


def call(name: str, x: np.ndarray, *dy: np.ndarray) -> np.ndarray:
    case = ACTIVATIONS[name]
    return getattr(functional, f"{case.name}_grad" if dy else case.name)(x, *dy, **case.arguments)


# ---- Matrix product -------------------------------------------------------------------------------------------------


@given(SIZES, st.integers(0, 90), SIZES, DTYPES, st.integers(-8, 8), SEEDS)
def test_a_product_is_within_the_bound(m: int, k: int, n: int, dtype: str, scale: int, seed: int) -> None:
    a, b = (normal(seed, m, k) * 10.0**scale).astype(dtype), normal(seed + 1, k, n).astype(dtype)
    assert_within(functional.matmul(a, b), exact(a) @ exact(b), product_bound(a, b, dtype))


@given(SIZES, SIZES, SIZES, DTYPES, LAYOUT, LAYOUT, st.booleans(), st.booleans(), SEEDS)
def test_a_product_does_not_depend_on_layouts(
    m: int, k: int, n: int, dtype: str, left: Any, right: Any, transpose_a: bool, transpose_b: bool, seed: int
) -> None:
    a, b = normal(seed, m, k).astype(dtype), normal(seed + 1, k, n).astype(dtype)
    x, y = left(a.T if transpose_a else a), right(b.T if transpose_b else b)
    with unwritten(x, y):
        assert_same_bits(functional.matmul(x, y, transpose_a, transpose_b), functional.matmul(a, b))


@given(matrices(st.integers(-30, 30).map(float)), SIZES, DTYPES, SEEDS)
def test_a_product_of_small_whole_numbers_is_exact(a: np.ndarray, n: int, dtype: str, seed: int) -> None:
    b = np.random.default_rng(seed).integers(-30, 30, size=(a.shape[1], n))
    assert_same_bits(functional.matmul(a.astype(dtype), b.astype(dtype)) + 0, (a @ b).astype(dtype) + 0)  # no -0


@given(matrices(st.sampled_from([0.0, 1.0, -2.0, np.inf, -np.inf, np.nan])), SIZES, DTYPES, SEEDS)
def test_a_product_has_nan_and_infinity_where_numpy_has(a: np.ndarray, n: int, dtype: str, seed: int) -> None:
    b = np.random.default_rng(seed).choice([0.0, 1.0, -1.0, np.inf], size=(a.shape[1], n))
    with np.errstate(invalid="ignore"):
        expected = np.einsum("ik,kj->ij", a, b)
    np.testing.assert_array_equal(functional.matmul(a.astype(dtype), b.astype(dtype)), expected.astype(dtype))


@given(SIZES, SIZES, SIZES, DTYPES, SEEDS)
def test_a_product_of_parts_is_part_of_the_product(m: int, k: int, n: int, dtype: str, seed: int) -> None:
    a, b = normal(seed, m, k).astype(dtype), normal(seed + 1, k, n).astype(dtype)
    c = functional.matmul(a, b)
    for rows, cols in (
        (slice(0, m // 2), slice(None)),
        (slice(None), slice(n // 2, None)),
        (slice(-1, None), slice(0, 1)),
    ):
        assert_same_bits(functional.matmul(a[rows], b[:, cols]), c[rows, cols])


# ---- Activations ----------------------------------------------------------------------------------------------------


@given(NAMES, vectors(ANY), DTYPES)
def test_an_activation_is_within_its_ulp(name: str, x: np.ndarray, dtype: str) -> None:
    x = x.astype(dtype)
    expected = exactly.value(ACTIVATIONS[name].value, x)
    with np.errstate(over="ignore", invalid="ignore"):
        bound = np.nan_to_num(np.abs(expected) * ACTIVATIONS[name].ulp(x) * eps(dtype))
    assert_within(call(name, x), expected, bound + 2 * tiny(dtype))


@given(st.sampled_from(["tanh", "sigmoid"]), vectors(LARGE), DTYPES)
def test_tanh_and_sigmoid_are_within_their_ulp(name: str, x: np.ndarray, dtype: str) -> None:
    x = x.astype(dtype)
    wide = exact(x)
    expected = np.tanh(wide) if name == "tanh" else 1 / (1 + np.exp(-wide))
    assert (ulp_error(call(name, x), expected) <= ULP).all()


@given(vectors(LARGE), DTYPES)
def test_tanh_is_odd_and_sigmoid_of_minus_x_is_the_rest(x: np.ndarray, dtype: str) -> None:
    x = x.astype(dtype)
    assert_same_bits(functional.tanh(-x), -functional.tanh(x))
    assert_within(functional.sigmoid(x) + functional.sigmoid(-x), np.ones_like(x), (2 * ULP + 1) * eps(dtype))
    assert (np.abs(functional.tanh(x)) <= 1).all()
    assert ((functional.sigmoid(x) >= 0) & (functional.sigmoid(x) <= 1)).all()


@given(NAMES, hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(0, 50)), elements=LARGE), DTYPES)
def test_a_gradient_is_within_its_bound(name: str, both: np.ndarray, dtype: str) -> None:
    x, dy = both.astype(dtype)
    bound = np.abs(dy) * ACTIVATIONS[name].gradient(x) * eps(dtype)
    subnormal = tiny(dtype) * (2 + np.abs(dy) * np.minimum(np.abs(x), 40).astype(np.float64) ** 3)
    assert_within(call(name, x, dy), dy * exactly.value(ACTIVATIONS[name].derivative, x), bound + subnormal)


@given(NAMES, vectors(ANY), st.integers(0, 70), DTYPES, st.booleans())
def test_elements_do_not_know_each_other(name: str, x: np.ndarray, cut: int, dtype: str, gradient: bool) -> None:
    x = x.astype(dtype)
    dy = [np.ones_like(x)] if gradient else []
    parts = [call(name, x[part], *(d[part] for d in dy)) for part in (slice(0, cut), slice(cut, None))]
    whole = call(name, x, *dy)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(
        np.signbit(np.concatenate(parts)[~np.isnan(whole)]), np.signbit(whole[~np.isnan(whole)])
    )


@given(
    st.sampled_from([*sorted(ACTIVATIONS), "softmax", "log_softmax"]),
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=4, max_side=5), elements=FINITE),
    st.sampled_from(["float16", "float32", "float64"]),
    LAYOUT,
)
def test_no_layout_changes_a_function(name: str, x: np.ndarray, dtype: str, layout: Any) -> None:
    x = x.astype(dtype)
    view = layout(x)
    name = name.replace("gelu_tanh", "gelu")
    for function in (getattr(functional, name), getattr(functional, f"{name}_grad")):
        with unwritten(view):
            assert_same_bits(function(view), function(np.ascontiguousarray(x)))


# ---- Softmax --------------------------------------------------------------------------------------------------------


@given(matrices(LARGE, 40), DTYPES)
def test_softmax_is_the_references(x: np.ndarray, dtype: str) -> None:
    x = x.astype(dtype)
    expected = reference.softmax(exact(x).astype(np.float64))
    distance = np.ptp(x.astype(np.float64), axis=1, keepdims=True)
    relative = eps(dtype) * (distance + 2 * ULP + x.shape[1] + 4)
    assert_within(functional.softmax(x), expected, relative * expected + 2 * np.finfo(dtype).tiny)


@given(matrices(FINITE, 30), DTYPES, st.integers(-50, 50))
def test_softmax_knows_differences_only(x: np.ndarray, dtype: str, shift: int) -> None:
    x = np.round(x / 8).astype(dtype)  # whole numbers up to 125: adding another is exact
    assert_same_bits(functional.softmax(x + shift), functional.softmax(x))


@given(st.integers(1, 9), st.integers(1, 40), DTYPES, SEEDS)
def test_softmax_grad_is_the_references_and_adds_up_to_nothing(n: int, k: int, dtype: str, seed: int) -> None:
    x, dy = (normal(seed + i, n, k).astype(dtype) for i in range(2))
    expected = reference.softmax_grad(x.astype(np.float64), dy.astype(np.float64))
    y = reference.softmax(x.astype(np.float64))
    size = np.abs(dy) + (np.abs(dy) * y).sum(axis=1, keepdims=True)
    bound = eps(dtype) * (2 * k + 20) * y * size
    dx = functional.softmax_grad(x, dy)
    assert_within(dx, expected, bound)
    assert_within(dx.astype(np.float64).sum(axis=1), np.zeros(n), bound.sum(axis=1))


# ---- Losses ---------------------------------------------------------------------------------------------------------

LOSS = st.sampled_from([case for case in LOSSES.values() if case.last_layer is None])


@given(LOSS, st.integers(1, 40), CLASSES, DTYPES, st.booleans(), SEEDS)
def test_a_loss_and_its_gradient_are_the_references(
    case: Any, n: int, k: int, dtype: str, weighted: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    y_pred, y = case.predictions(rng, n, k).astype(dtype), case.targets(rng, n, k)
    y = y.astype(dtype) if y.dtype.kind == "f" else y
    weight = rng.integers(1, 9, size=n) if weighted else None
    name, wide, largest = case.name, y_pred.astype(np.float64), float(np.abs(y_pred).max())
    size = 4 * largest**2 + 2 * largest + 10  # of an output's own term in any of the losses
    loss = getattr(functional, name)(y_pred, y, weight, **case.arguments)
    expected = getattr(reference, name)(wide, y, weight, **case.arguments)
    assert_within(loss, expected, (k + n + 4 * ULP + 4) * eps(dtype) * size)
    slope = 4 * largest + 1 / 0.05**2  # bce's predictions are at least 0.05 from 0 and 1
    grad = getattr(functional, f"{name}_grad")(y_pred, y, weight, **case.arguments)
    expected = getattr(reference, f"{name}_grad")(wide, y, weight, **case.arguments)
    share = (np.full(n, 1 / n) if weight is None else weight / weight.sum())[:, None]
    assert_within(grad, expected, share * (k + largest + 4 * ULP + 4) * eps(dtype) * slope)


@given(LOSS, st.integers(1, 30), CLASSES, DTYPES, st.integers(-20, 20), SEEDS)
def test_only_the_ratios_of_weights_count(case: Any, n: int, k: int, dtype: str, power: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y_pred, y = case.predictions(rng, n, k).astype(dtype), case.targets(rng, n, k)
    weight = rng.integers(0, 9, size=n).astype(dtype)
    assume(weight.any())
    for end in ("", "_grad"):
        function = getattr(functional, case.name + end)
        assert_same_bits(function(y_pred, y, weight * dtype_power(dtype, power)), function(y_pred, y, weight))


def dtype_power(dtype: str, power: int) -> np.floating:
    return np.dtype(dtype).type(2.0**power)


@given(LOSS, st.integers(2, 40), CLASSES, DTYPES, SEEDS)
def test_the_order_of_rows_orders_the_gradient_and_nothing_else(
    case: Any, n: int, k: int, dtype: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    y_pred, y = case.predictions(rng, n, k).astype(dtype), case.targets(rng, n, k)
    order, grad = rng.permutation(n), getattr(functional, f"{case.name}_grad")
    assert_same_bits(grad(y_pred[order], y[order]), grad(y_pred, y)[order])
