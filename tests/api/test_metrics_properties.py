"""Every metric is scikit-learn's, with weights, ties, classes that are missing, and single rows."""

import itertools
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnext import metrics

theirs = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed; the comparison with it needs it")
EPS = np.finfo(np.float64).eps
SHARES: tuple[str, ...] = ("precision", "recall", "f1")
AVERAGES: tuple[Any, ...] = ("macro", "micro", "weighted", None)


def both(ours: Callable[[], Any], other: Callable[[], Any], rows: int) -> None:
    """Compare: of sums of `rows` terms and a few quotients, each off by as many roundings. NaN is NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 0 / 0: theirs, and ours where it is NaN
        found, expected = ours(), other()
    np.testing.assert_allclose(found, expected, rtol=4 * (rows + 4) * EPS, atol=4 * (rows + 4) * EPS)


def weights_of(rows: int) -> st.SearchStrategy[np.ndarray | None]:
    """Draw none, whole numbers, or quarters, whose sums are exact; some are 0, but not all."""
    whole = st.lists(st.integers(0, 9), min_size=rows, max_size=rows).filter(any).map(np.array)
    return st.none() | whole | whole.map(lambda each: each / 4)


@st.composite
def labels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    rows, low, high = draw(st.sampled_from([(1, 0, 1), (2, 0, 1), (9, 0, 1), (9, -1, 3), (30, 0, 4), (9, 0, 10**12)]))
    each = st.lists(st.sampled_from([low, high]) | st.integers(low, high), min_size=rows, max_size=rows).map(np.array)
    return draw(each), draw(each), draw(weights_of(rows))


@given(labels())
def test_accuracy_and_the_confusion_matrix(case: Any) -> None:
    true, pred, weight = case
    both(
        lambda: metrics.accuracy(true, pred, weight),
        lambda: theirs.accuracy_score(true, pred, sample_weight=weight),
        len(true),
    )
    found = metrics.confusion_matrix(true, pred, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single label
        expected = theirs.confusion_matrix(true, pred, sample_weight=weight)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@given(case=labels())
def test_averages_of_precision_recall_and_f1(case: Any) -> None:
    true, pred, weight = case
    for name, average in itertools.product(SHARES, AVERAGES):
        both(
            partial(getattr(metrics, name), true, pred, weight, average=average),
            partial(
                getattr(theirs, f"{name}_score"), true, pred, sample_weight=weight, average=average, zero_division=0
            ),
            len(true),
        )


@given(case=labels(), low=st.sampled_from([0, -1]))
def test_two_classes_are_told_by_class_one(case: Any, low: int) -> None:
    true, pred, weight = case
    true, pred = np.where(true > 0, 1, low), np.where(pred > 0, 1, low)
    for name in SHARES:
        both(
            partial(getattr(metrics, name), true, pred, weight),
            partial(getattr(theirs, f"{name}_score"), true, pred, sample_weight=weight, zero_division=0),
            len(true),
        )


@st.composite
def scores(draw: st.DrawFn, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Draw labels, rows of eighths that add up to 1, with many ties, and weights."""
    rows, classes = draw(st.integers(1, 20)), draw(st.integers(least, 5))
    cuts = st.lists(st.integers(0, 8), min_size=classes - 1, max_size=classes - 1).map(sorted)
    drawn = [np.diff([0, *draw(cuts), 8]) for _ in range(rows)]
    true = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    return np.array(true), np.array(drawn) / 8, draw(weights_of(rows))


@given(scores(3))
def test_top_k_accuracy(case: Any) -> None:
    """Of equal scores scikit-learn takes the last column first, so it is given the columns the other way round."""
    true, score, weight = case
    classes = score.shape[1]
    for k in range(1, classes):
        both(
            partial(metrics.top_k_accuracy, true, score, weight, k=k),
            partial(
                theirs.top_k_accuracy_score,
                *(classes - 1 - true, score[:, ::-1]),
                k=k,
                sample_weight=weight,
                labels=range(classes),
            ),
            len(true),
        )


@given(scores(2))
def test_roc_auc_of_two_classes(case: Any) -> None:
    true, score, weight = case
    true = true > 0
    counted = true if weight is None else true[weight > 0]
    if counted.all() or not counted.any():
        with pytest.warns(RuntimeWarning, match=r"\[roc_auc\] y_true holds the labels .*; the metric is NaN"):
            assert np.isnan(metrics.roc_auc(true, score[:, 1], weight))
        return
    both(
        lambda: metrics.roc_auc(true, score[:, 1], weight),
        lambda: theirs.roc_auc_score(true, score[:, 1], sample_weight=weight),
        len(true),
    )


@given(case=scores(3))
def test_roc_auc_of_several_classes(case: Any) -> None:
    true, score, weight = case
    settings = {"multi_class": "ovr", "labels": range(score.shape[1])}
    for average in AVERAGES:
        both(
            partial(metrics.roc_auc, true, score, weight, average=average),
            partial(theirs.roc_auc_score, true, score, sample_weight=weight, average=average, **settings),
            score.size,
        )


@st.composite
def numbers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Draw whole numbers, so that what never changes has no spread in scikit-learn either."""
    rows, outputs = draw(st.integers(1, 20)), draw(st.integers(1, 3))
    values = st.lists(st.integers(-3, 3), min_size=rows * outputs, max_size=rows * outputs)
    true, pred = (np.array(draw(values), dtype=float).reshape(rows, outputs) for _ in range(2))
    true[:, 0] = draw(st.sampled_from([true[:, 0], np.ones(rows)]))
    return true, pred, draw(weights_of(rows))


@given(numbers())
def test_metrics_of_numbers(case: Any) -> None:
    true, pred, weight = case
    for name, other in (
        ("mse", theirs.mean_squared_error),
        ("rmse", theirs.root_mean_squared_error),
        ("mae", theirs.mean_absolute_error),
        ("r2", theirs.r2_score),
    ):
        both(
            partial(getattr(metrics, name), true, pred, weight),
            partial(other, true, pred, sample_weight=weight),
            100 * true.size,  # r2 is a quotient by the spread, of numbers up to 6 apart: up to 36 rows a row
        )


@given(numbers(), st.integers(-1000, 1000))
def test_only_ratios_of_weights_count(case: Any, power: int) -> None:
    true, pred, weight = case
    if weight is None or len(true) < 2:
        return
    scaled = np.ldexp(weight.astype(np.float64), power)
    for metric in (metrics.mse, metrics.rmse, metrics.mae, metrics.r2):
        assert metric(true, pred, scaled) == metric(true, pred, weight)
    labels = true[:, 0].astype(int), pred[:, 0].astype(int)
    for name in ("accuracy", *SHARES):
        assert getattr(metrics, name)(*labels, scaled) == getattr(metrics, name)(*labels, weight)
