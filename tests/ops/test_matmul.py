"""The matrix product on every instruction set: right within the bound, and the same bits however it is asked for."""

import resource

import numpy as np
import pytest

import nnext as nn
from layouts import LAYOUTS
from nnext.functional import matmul
from support import assert_same_bits, require_two_fma_isas, unwritten, use_isa
from tolerance import assert_within, eps, exact, product_bound

EDGE = range(1, 41)  # beyond every tile, panel and vector: 14 x 32 elements for avx512 in float32
DEPTHS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 39, 40)


def operands(rng: np.random.Generator, m: int, k: int, n: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)


# The last ones cross the blocks of rows, columns and depth that the product is cut into, and are shared by the team.
@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 1, 1), (40, 40, 40), (3, 1000, 2), (1, 300, 130), (130, 65, 1), (300, 5, 70), (61, 900, 100)]
)
def test_a_product_is_within_the_bound(isa: str, dtype: str, rng: np.random.Generator, m: int, k: int, n: int) -> None:
    a, b = operands(rng, m, k, n, dtype)
    c = matmul(a, b)
    assert c.dtype == dtype
    assert c.flags.c_contiguous
    assert_within(c, exact(a) @ exact(b), product_bound(a, b, dtype))


def test_every_size_from_1_to_40_has_the_bits_of_the_whole_product(
    isa: str, dtype: str, rng: np.random.Generator
) -> None:
    a, b = operands(rng, 40, 40, 40, dtype)
    for k in DEPTHS:
        whole = matmul(a[:, :k], b[:k])
        assert_within(whole, exact(a[:, :k]) @ exact(b[:k]), product_bound(a[:, :k], b[:k], dtype))
        for m in EDGE:
            left = a[:m, :k]
            for n in EDGE:
                if not np.array_equal(matmul(left, b[:k, :n]), whole[:m, :n]):
                    pytest.fail(f"({m}, {k}) @ ({k}, {n}) differs from the same elements of (40, {k}) @ ({k}, 40)")


@pytest.mark.parametrize("m", [1, 5, 14, 70])
@pytest.mark.parametrize("n", [1, 9, 33])
def test_no_layout_changes_a_bit(isa: str, dtype: str, rng: np.random.Generator, m: int, n: int) -> None:
    a, b = operands(rng, m, 19, n, dtype)
    expected = matmul(a, b)
    for left in LAYOUTS.values():
        for right in LAYOUTS.values():
            x, y = left(a), right(b)
            with unwritten(x, y):
                assert_same_bits(matmul(x, y), expected)
                assert_same_bits(matmul(x.T, y, transpose_a=True), expected)
                assert_same_bits(matmul(x, y.T, transpose_b=True), expected)
                assert_same_bits(matmul(x.T, y.T, transpose_a=True, transpose_b=True), expected)


def test_strides_of_zero_repeat_rows_and_columns(isa: str, dtype: str, rng: np.random.Generator) -> None:
    a, b = operands(rng, 20, 17, 35, dtype)
    for repeated in (a[:1], a[:, :1], a[:1, :1]):
        view = np.broadcast_to(repeated, a.shape)
        assert 0 in view.strides
        assert_same_bits(matmul(view, b), matmul(view.copy(), b))
        assert_same_bits(matmul(b, view, transpose_a=True, transpose_b=True), matmul(b.T.copy(), view.T.copy()))


@pytest.mark.parametrize(
    ("a_type", "b_type", "result"),
    [
        ("float32", "float32", "float32"),
        ("float16", "float16", "float32"),
        ("float16", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("int8", "int8", "float64"),
        ("bool", "float32", "float64"),
        ("uint64", "int64", "float64"),
    ],
)
def test_the_type_of_the_result(a_type: str, b_type: str, result: str) -> None:
    a, b = np.array([[1, 0, 1]]).astype(a_type), np.array([[1], [1], [1]]).astype(b_type)
    assert_same_bits(matmul(a, b), np.array([[2]], result))


def test_empty_products(isa: str, dtype: str) -> None:
    assert matmul(np.empty((0, 3), dtype), np.empty((3, 4), dtype)).shape == (0, 4)
    assert matmul(np.empty((2, 3), dtype), np.empty((3, 0), dtype)).shape == (2, 0)
    nothing = np.full((30, 40), 9, dtype)  # a sum of no terms is 0, also over what was there
    matmul(np.empty((30, 0), dtype), np.empty((0, 40), dtype), out=nothing)
    assert_same_bits(nothing, np.zeros((30, 40), dtype))


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_reach_every_element_they_belong_to_and_no_other(
    isa: str, dtype: str, rng: np.random.Generator, poison: float
) -> None:
    a, b = operands(rng, 17, 6, 37, dtype)
    clean = matmul(a, b)
    for i in range(17):
        broken = a.copy()
        broken[i, i % 6] = poison
        c = matmul(broken, b)
        assert not np.isfinite(c[i]).any()
        assert_same_bits(np.delete(c, i, axis=0), np.delete(clean, i, axis=0))
    for j in range(37):
        broken = b.copy()
        broken[j % 6, j] = poison
        c = matmul(a, broken)
        assert not np.isfinite(c[:, j]).any()
        assert_same_bits(np.delete(c, j, axis=1), np.delete(clean, j, axis=1))
    zeros = matmul(np.zeros((5, 6), dtype), np.full((6, 3), poison, dtype))
    assert np.isnan(zeros).all()  # 0 * inf, too


@pytest.mark.parametrize(("m", "k", "n"), [(200, 300, 150), (150, 300, 700), (8, 2000, 300), (3001, 10, 60)])
def test_no_number_of_threads_changes_a_bit(
    isa: str, dtype: str, rng: np.random.Generator, m: int, k: int, n: int
) -> None:
    assert 2 * m * k * n > 3e6  # a member of the team for each MFLOP
    a, b = operands(rng, m, k, n, dtype)
    with nn.runtime.threads(1):
        expected = matmul(a, b)
    for threads in (2, 3, 8):
        with nn.runtime.threads(threads):
            assert_same_bits(matmul(a, b), expected)


def test_instruction_sets_with_fma_agree_in_every_bit(dtype: str, rng: np.random.Generator) -> None:
    isas = require_two_fma_isas()
    for _ in range(60):
        m, k, n = rng.integers(1, 90, size=3)
        a, b = operands(rng, m, k, n, dtype)
        results = []
        for name in isas:
            with use_isa(name):
                results.append(matmul(a, b))
        assert_same_bits(results[0], results[1])


# ---- out ------------------------------------------------------------------------------------------------------------


def test_the_result_can_go_into_an_array_of_the_callers(isa: str, dtype: str, rng: np.random.Generator) -> None:
    a, b = operands(rng, 9, 4, 21, dtype)
    out = np.full((9, 21), np.nan, dtype)
    assert matmul(a, b, out=out) is out
    assert_same_bits(out, matmul(a, b))


def test_out_may_be_an_operand_or_overlap_one(isa: str, dtype: str, rng: np.random.Generator) -> None:
    a, b = operands(rng, 33, 33, 33, dtype)
    expected = matmul(a, b)
    for take_left in (True, False):
        x, y = a.copy(), b.copy()
        out = x if take_left else y
        assert matmul(x, y, out=out) is out
        assert_same_bits(out, expected)
    memory = np.zeros((34, 33), dtype)
    memory[1:] = a
    matmul(memory[1:], b, out=memory[:33])
    assert_same_bits(memory[:33], expected)


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (
            np.empty((2, 3)),
            ValueError,
            r"\[matmul\] out has shape \(2, 3\) but the result is \(2, 2\); give that shape",
        ),
        (np.empty(4), ValueError, r"out has shape \(4,\) but the result is \(2, 2\)"),
        (
            np.empty((2, 2), "float32"),
            TypeError,
            r"out must be an ndarray of float64; make it with numpy.empty\(\(2, 2\)",
        ),
        (np.empty((2, 2), ">f8"), TypeError, "out must be an ndarray of float64"),
        ([[0.0, 0.0], [0.0, 0.0]], TypeError, "out must be an ndarray of float64"),
        (np.empty((2, 2), order="F"), ValueError, "out must be writeable, C-contiguous and aligned"),
        (np.empty((2, 4))[:, ::2], ValueError, "out must be writeable, C-contiguous and aligned"),
        (LAYOUTS["read_only"](np.empty((2, 2))), ValueError, "out must be writeable, C-contiguous and aligned"),
        (LAYOUTS["unaligned"](np.zeros((2, 2))), ValueError, "out must be writeable, C-contiguous and aligned"),
    ],
)
def test_an_array_that_cannot_take_the_result_is_refused(out: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        matmul(np.eye(2), np.eye(2), out=out)  # type: ignore[arg-type]


# ---- Refusals and sizes that do not fit memory ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "transposes", "message"),
    [
        ((2, 3), (4, 5), {}, r"a is \(2, 3\) and b is \(4, 5\) after transposing; the inner dimensions 3 and 4"),
        ((2, 3), (3, 4), {"transpose_a": True}, r"a is \(3, 2\) and b is \(3, 4\) after transposing"),
        ((2, 3), (3, 4), {"transpose_b": True}, r"a is \(2, 3\) and b is \(4, 3\) after transposing"),
        ((3,), (3, 4), {}, r"\[matmul\] a has shape \(3,\); give two dimensions"),
        ((2, 3), (3, 4, 1), {}, r"\[matmul\] b has shape \(3, 4, 1\); give two dimensions"),
    ],
)
def test_shapes_that_do_not_fit_are_named(
    a: tuple[int, ...], b: tuple[int, ...], transposes: dict[str, bool], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        matmul(np.ones(a), np.ones(b), **transposes)


@pytest.mark.resources
def test_more_than_2_to_the_31_elements_are_multiplied_without_a_copy() -> None:
    k, n = 65_537, 32_769
    assert k * n > 2**31
    row = np.arange(n, dtype="float32") % 8
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    c = matmul(np.ones((1, k), "float32"), np.broadcast_to(row, (k, n)))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert_same_bits(c, k * row[None])  # at most 7 * 65537 < 2^24: exact
    assert grown < 100_000  # KB; a copy takes 8.6 GB


def test_a_result_that_fits_no_memory_is_an_error_before_anything_is_allocated() -> None:
    one = np.float32(1)
    for rows in (2**40, 2**62):
        with pytest.raises((MemoryError, ValueError)):
            matmul(np.broadcast_to(one, (rows, 1)), np.broadcast_to(one, (1, rows)))


def test_a_long_sum_loses_no_more_than_the_bound(isa: str) -> None:
    k = 100_000
    a = np.full((1, k), 0.1, "float32")
    c = matmul(a, a.T)
    assert_within(c, [[k * float(a[0, 0]) ** 2]], product_bound(a, a.T, "float32"))
    assert abs(c[0, 0] - k * float(a[0, 0]) ** 2) > eps("float32")  # one chain in order, as promised: it does lose some
