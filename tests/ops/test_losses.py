"""The losses of nnext.functional on every instruction set: values and gradients against nnext.reference."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from layouts import LAYOUTS
from loss_cases import LOSSES, LossCase
from nnext import functional, reference
from support import assert_same_bits, require_two_fma_isas, unwritten, use_isa
from tolerance import ULP, assert_within, eps

# Rows of the loss tables whose last layer is the identity: the functions know of no layers.
CASES = {name: case for name, case in LOSSES.items() if case.last_layer is None}
SIZES = [(1, 1), (1, 2), (7, 1), (33, 1), (5, 3), (40, 10), (3, 17), (2, 130)]


def example(case: LossCase, rng: np.random.Generator, dtype: str, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    if not case.is_mean and k == 1:
        k = 2  # a column of targets is labels
    y_pred, y = case.predictions(rng, n, k).astype(dtype), case.targets(rng, n, k)
    return y_pred, y.astype(dtype) if y.dtype.kind == "f" else y


def bounds(name: str, y_pred: np.ndarray, dtype: str) -> tuple[float, Any]:
    """Return the bounds of a row's loss and of its gradient, before the weight and the mean over the outputs.

    Each output's term is made of numbers up to `size`, and its logarithms and exponentials are off by ULP units: a few
    roundings of `size` each. The mean over k outputs, and the exponentials' sum in cross-entropy, add k roundings.
    """
    k = y_pred.shape[1]
    largest = float(np.abs(y_pred).max())
    exponential = {name: np.exp(largest) * 20 for name in ("poisson", "gamma")}  # of targets below 20
    sizes = {"mse": (2 * largest) ** 2, "huber": 4 * largest, "bce": 4.0, "focal": 4 * largest + 4, **exponential}
    slopes = {"mse": 4 * largest, "huber": 2 * largest, "bce": 1 / 0.05**2, "focal": 4 * largest + 4, **exponential}
    size, slope = sizes.get(name, 2 * largest + np.log(k + 1)), slopes.get(name, 1.0)
    return (k + 4 * ULP + 4) * size * eps(dtype), (k + largest + 4 * ULP + 4) * slope * eps(dtype)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_loss_and_its_gradient_are_the_references(
    isa: str, dtype: str, rng: np.random.Generator, name: str, weighted: bool
) -> None:
    case = CASES[name]
    for n, k in SIZES:
        y_pred, y = example(case, rng, dtype, n, k)
        weight = rng.uniform(0.1, 3, size=n).astype(dtype) if weighted else None
        wide = y_pred.astype(np.float64)
        expected = getattr(reference, case.name)(wide, y, weight, **case.arguments)
        expected_grad = getattr(reference, f"{case.name}_grad")(wide, y, weight, **case.arguments)
        loss, grad = bounds(case.name, y_pred, dtype)
        assert_within(getattr(functional, case.name)(y_pred, y, weight, **case.arguments), expected, loss)
        dy = getattr(functional, f"{case.name}_grad")(y_pred, y, weight, **case.arguments)
        assert dy.dtype == dtype
        share = np.full((n, 1), 1 / n) if weight is None else (weight / weight.sum())[:, None]
        outputs = y.shape[1] if case.is_mean else 1
        assert_within(dy, expected_grad, grad * share / outputs)


@pytest.mark.parametrize("name", CASES)
def test_nan_in_any_output_makes_loss_and_gradient_nan(
    isa: str, dtype: str, rng: np.random.Generator, name: str
) -> None:
    case = CASES[name]
    for n, k in ((34, 1), (3, 19)):
        y_pred, y = example(case, rng, dtype, n, k)
        clean = getattr(functional, f"{case.name}_grad")(y_pred, y)
        for at in np.ndindex(y_pred.shape):
            broken = y_pred.copy()
            broken[at] = np.nan
            assert np.isnan(getattr(functional, case.name)(broken, y))
            dy = getattr(functional, f"{case.name}_grad")(broken, y)
            assert np.isnan(dy[at])
            assert_same_bits(np.delete(dy, at[0], axis=0), np.delete(clean, at[0], axis=0))


def test_cross_entropy_is_stable_for_certain_and_wrong_outputs(isa: str, dtype: str) -> None:
    z = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]], dtype)
    assert functional.cross_entropy(z, [0, 1]) == 0
    assert functional.cross_entropy(z, [1, 0]) == 2000
    assert_same_bits(functional.cross_entropy_grad(z, [1, 0]), np.array([[0.5, -0.5], [-0.5, 0.5]], dtype))
    largest = np.full((1, 3), np.finfo(dtype).max, dtype)
    assert_within(functional.cross_entropy(largest, [2]), np.log(3), 4 * eps(dtype))


def test_bce_limits_the_cost_of_a_wrong_certainty(isa: str, dtype: str) -> None:
    p = np.array([0.0, 1.0, 0.0, 1.0], dtype)
    assert functional.bce(p, [1, 0, 1, 0]) == 100
    assert functional.bce(p, [0, 1, 0, 1]) == 0
    dy = functional.bce_grad(p, [1, 0, 0, 1])
    assert_within(dy, np.array([-0.25e12, 0.25e12, 0, 0]), 0.25e12 * 2 * eps(dtype))  # the divisor is at least 1e-12


def test_huber_is_a_square_and_then_a_line(isa: str, dtype: str) -> None:
    y = np.array([0.0, 0.25, -0.5, 2.0, -100.0], dtype)
    rows = [functional.huber(y[i : i + 1], [0], delta=0.5) for i in range(5)]
    assert rows == [0, 0.25**2 / 2, 0.5**2 / 2, 0.5 * 1.75, 0.5 * 99.75]
    slopes = np.array([0, 0.25, -0.5, 0.5, -0.5], dtype)
    assert_same_bits(functional.huber_grad(y, np.zeros(5), delta=0.5) * 5, slopes)
    for wrong in (0, -1, np.inf, np.nan):
        for function in (functional.huber, functional.huber_grad):
            with pytest.raises(ValueError, match=r"\[huber(_grad)?\] delta is .*; give a finite number in \(0, inf\]"):
                function(y, y, delta=wrong)


def test_bce_with_logits_is_stable_at_both_ends(isa: str, dtype: str) -> None:
    z = np.array([-800.0, 800.0, -800.0, 800.0], dtype)
    assert functional.bce_with_logits(z, [0, 1, 0, 1]) == 0
    assert functional.bce_with_logits(z, [1, 0, 1, 0]) == 800
    small = np.array([-40.0, -60.0], dtype)  # e^-40: lost beside 1, not in log1p
    assert_within(functional.bce_with_logits(small[:1], [0]), np.exp(-40.0), 8 * eps(dtype) * np.exp(-40.0))
    assert_within(functional.bce_with_logits_grad(small, [0, 0]), np.exp([-40.0, -60.0]) / 2, 8 * eps(dtype) * 1e-17)


@pytest.mark.parametrize("name", CASES)
def test_no_layout_of_any_argument_changes_a_bit(isa: str, dtype: str, rng: np.random.Generator, name: str) -> None:
    case = CASES[name]
    y_pred, y = example(case, rng, dtype, 12, 5)
    weight = rng.uniform(0.5, 2, size=12).astype(dtype)
    loss, dy = (getattr(functional, f"{case.name}{end}")(y_pred, y, weight) for end in ("", "_grad"))
    for make in LAYOUTS.values():
        arguments = make(y_pred), make(y), make(weight)
        with unwritten(*arguments):
            assert getattr(functional, case.name)(*arguments) == loss
            assert_same_bits(getattr(functional, f"{case.name}_grad")(*arguments), dy)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.is_mean and not case.arguments])
def test_n_and_n_by_1_mean_the_same(dtype: str, rng: np.random.Generator, name: str) -> None:
    y_pred, y = example(LOSSES[name], rng, dtype, 9, 1)
    name = CASES[name].name
    loss, dy = getattr(functional, name)(y_pred, y), getattr(functional, f"{name}_grad")(y_pred, y)
    for pred in (y_pred, y_pred[:, 0]):
        for target in (y, y[:, 0]):
            assert getattr(functional, name)(pred, target) == loss
            assert_same_bits(getattr(functional, f"{name}_grad")(pred, target), dy.reshape(pred.shape))


def test_labels_and_one_hot_rows_mean_the_same(isa: str, dtype: str, rng: np.random.Generator) -> None:
    z, labels = rng.normal(size=(33, 7)).astype(dtype), rng.integers(7, size=33)
    one_hot = np.eye(7, dtype=dtype)[labels]
    assert functional.cross_entropy(z, labels) == functional.cross_entropy(z, labels[:, None])
    assert_within(functional.cross_entropy(z, one_hot), functional.cross_entropy(z, labels), 10 * eps(dtype))
    grads = [functional.cross_entropy_grad(z, y) for y in (labels, one_hot)]
    assert_within(grads[0], grads[1], 2 * eps(dtype) / 33)


@pytest.mark.parametrize("name", CASES)
def test_instruction_sets_with_fma_agree_in_every_bit(dtype: str, rng: np.random.Generator, name: str) -> None:
    isas, case = require_two_fma_isas(), CASES[name]
    for n, k in [*SIZES, (100, 33)]:
        y_pred, y = example(case, rng, dtype, n, k)
        results = []
        for isa in isas:
            with use_isa(isa):
                results.append(
                    [getattr(functional, f"{case.name}{end}")(y_pred, y, **case.arguments) for end in ("", "_grad")]
                )
        assert results[0][0] == results[1][0]
        assert_same_bits(results[0][1], results[1][1])


# ---- Refusals: the same door as for fit (tests/api/test_arrays.py), here with the functions' names -------------------


@pytest.mark.parametrize(
    ("name", "y_pred", "y", "weight", "message"),
    [
        ("mse", (3, 2), (3, 3), None, r"\[mse\] y has shape \(3, 3\) but the network gives \(3, 2\)"),
        ("mse", (3, 2), (4, 2), None, r"\[mse\] y has 4 rows but X has 3"),
        ("mse", (0, 2), (0, 2), None, r"\[mse\] y_pred has 0 rows; the mean of nothing is not defined"),
        ("huber", (3, 2), (3, 3), None, r"\[huber\] y has shape \(3, 3\) but the network gives \(3, 2\)"),
        ("mse", (3, 0), (3, 0), None, r"\[mse\] y_pred has shape \(3, 0\): 0 features; give at least one"),
        ("mse", (3, 2, 2), (3, 3), None, r"\[mse\] y has shape \(3, 3\) but the network gives \(3, 2, 2\)"),
        ("bce", (3, 2), (3, 2), (2,), r"\[bce\] sample_weight has 2 rows but X has 3"),
        ("bce", (3, 2), (3, 2), (3, 1), r"\[bce\] sample_weight has shape \(3, 1\); give one weight a sample: \(3,\)"),
        ("cross_entropy", (3,), (3,), None, r"\[cross_entropy\] y_pred has shape \(3,\); samples must be rows"),
    ],
)
def test_shapes_that_do_not_fit_are_named(
    name: str, y_pred: tuple[int, ...], y: tuple[int, ...], weight: tuple[int, ...] | None, message: str
) -> None:
    for function in (name, f"{name}_grad"):
        with pytest.raises(ValueError, match=message):
            getattr(functional, function)(np.ones(y_pred), np.ones(y), None if weight is None else np.ones(weight))


@pytest.mark.parametrize("name", nn.Loss.names())
def test_masked_values_are_refused_in_every_argument(name: str) -> None:
    labels = np.array([[1.0, 0.0], [0.0, 1.0]]) + (name == "gamma")  # whose targets are above 0
    good = [np.ones((2, 2)) / 2, labels, np.ones(2)]
    shapes = [good] if name in ("cross_entropy", "kl_div") else [good, [np.ones(2) / 2, np.ones(2), np.ones(2)]]
    for arguments in shapes:
        for i, argument in enumerate(arguments):
            masked = [*arguments[:i], np.ma.masked_array(argument, mask=argument == argument[0]), *arguments[i + 1 :]]
            with pytest.raises(TypeError, match=rf"\[{name}\] .* has masked values; fill them first"):
                getattr(functional, name)(*masked)
