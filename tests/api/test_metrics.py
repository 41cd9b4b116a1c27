"""Metrics: figures worked out by hand, scikit-learn's where it is installed, and refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnext import metrics

CLASSIFICATION = ["accuracy", "precision", "recall", "f1", "confusion_matrix"]
EPS = np.finfo(np.float64).eps


def sklearn_metrics() -> Any:
    return pytest.importorskip(
        "sklearn.metrics", reason="scikit-learn is not installed; the comparison with it needs it"
    )


def same(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=100 * EPS, atol=100 * EPS)


# ---- Classification -------------------------------------------------------------------------------------------------


def test_figures_worked_out_by_hand() -> None:
    true, pred = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]
    assert metrics.accuracy(true, pred) == 4 / 6
    assert metrics.confusion_matrix(true, pred).tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    same(metrics.precision(true, pred, average=None), [1, 1 / 2, 1 / 2])
    same(metrics.recall(true, pred, average=None), [2 / 3, 1 / 2, 1])
    same(metrics.f1(true, pred, average=None), [4 / 5, 1 / 2, 2 / 3])
    same(metrics.precision(true, pred), 2 / 3)
    same(metrics.precision(true, pred, average="weighted"), (3 + 1 + 1 / 2) / 6)
    same(metrics.recall(true, pred, average="micro"), 4 / 6)


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_labels_scores_and_one_hot_rows_mean_the_same(name: str) -> None:
    rng, metric = np.random.default_rng(0), getattr(metrics, name)
    scores = rng.normal(size=(50, 4)).astype(np.float32)
    true, pred = rng.integers(4, size=50), scores.argmax(axis=1)
    expected = metric(true, pred)
    for y_true in (true.tolist(), true[:, None], true.astype(np.uint8), true.astype(np.float64), np.eye(4)[true]):
        for y_pred in (pred, scores, np.asfortranarray(scores)):
            np.testing.assert_array_equal(metric(y_true, y_pred), expected)


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_a_column_of_probabilities_predicts_one_above_the_threshold(name: str) -> None:
    metric, true = getattr(metrics, name), [0, 1, 1, 0]
    column = np.array([[0.5], [0.6], [0.4], [0.2]])
    np.testing.assert_array_equal(metric(true, column), metric(true, [0, 1, 0, 0]))
    np.testing.assert_array_equal(metric(true, column, threshold=0.3), metric(true, [1, 1, 1, 0]))
    np.testing.assert_array_equal(metric(true, column.astype(bool)), metric(true, [1, 1, 1, 1]))


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
@pytest.mark.parametrize("classes", [2, 5])
def test_precision_recall_and_f1_are_scikit_learns(average: Any, classes: int) -> None:
    theirs, rng = sklearn_metrics(), np.random.default_rng(1)
    for size in (1, 3, 100):  # few rows leave classes without a prediction or without a truth
        true, pred = rng.integers(classes, size=size), rng.integers(classes, size=size)
        for ours, name in ((metrics.precision, "precision"), (metrics.recall, "recall"), (metrics.f1, "f1")):
            expected = getattr(theirs, f"{name}_score")(true, pred, average=average, zero_division=0)
            same(ours(true, pred, average=average), expected)


def test_two_classes_count_class_one_as_scikit_learn_does() -> None:
    theirs, rng = sklearn_metrics(), np.random.default_rng(2)
    for size in (1, 2, 100):
        true, pred = rng.integers(2, size=size), rng.integers(2, size=size)
        same(metrics.precision(true, pred), theirs.precision_score(true, pred, zero_division=0))
        same(metrics.recall(true, pred), theirs.recall_score(true, pred, zero_division=0))
        same(metrics.f1(true, pred), theirs.f1_score(true, pred, zero_division=0))


def test_many_columns_are_averaged_even_when_only_two_classes_occur() -> None:
    true, scores = [0, 1, 1, 1], np.eye(3)[[0, 1, 0, 0]]
    assert metrics.recall(true, scores) == (1 + 1 / 3) / 2
    assert metrics.recall(true, scores[:, :2]) == 1 / 3


@pytest.mark.parametrize("labels", [None, [2, 0, 1], [0, 3], [7]])
def test_the_confusion_matrix_is_scikit_learns(labels: list[int] | None) -> None:
    theirs, rng = sklearn_metrics(), np.random.default_rng(3)
    true, pred = rng.integers(4, size=60), rng.integers(4, size=60)
    if labels == [7]:  # scikit-learn refuses labels that do not occur; an empty table is as clear
        assert metrics.confusion_matrix(true, pred, labels=labels).tolist() == [[0]]
        return
    expected = theirs.confusion_matrix(true, pred, labels=labels)
    np.testing.assert_array_equal(metrics.confusion_matrix(true, pred, labels=labels), expected)


def test_labels_may_be_any_whole_numbers() -> None:
    true, pred = [-1, 1, 1, 40], [-1, -1, 1, 40]
    assert metrics.confusion_matrix(true, pred).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert metrics.accuracy(true, pred) == 0.75


def test_top_k_accuracy_is_scikit_learns_and_with_one_guess_accuracy() -> None:
    theirs, rng = sklearn_metrics(), np.random.default_rng(4)
    scores, true = rng.normal(size=(80, 6)), rng.integers(6, size=80)
    for k in range(1, 6):
        same(metrics.top_k_accuracy(true, scores, k=k), theirs.top_k_accuracy_score(true, scores, k=k, labels=range(6)))
    assert metrics.top_k_accuracy(true, scores, k=6) == 1
    ties = rng.integers(3, size=(80, 6)).astype(float)
    assert metrics.top_k_accuracy(true, ties, k=1) == metrics.accuracy(true, ties)


def test_roc_auc_is_scikit_learns_with_and_without_ties() -> None:
    theirs, rng = sklearn_metrics(), np.random.default_rng(5)
    for levels in (3, 10_000):
        true, score = rng.integers(2, size=200), rng.integers(levels, size=200) / levels
        expected = theirs.roc_auc_score(true, score)
        same(metrics.roc_auc(true, score), expected)
        same(metrics.roc_auc(true * 2 - 1, score[:, None]), expected)
        same(metrics.roc_auc(np.eye(2)[true], np.stack([-score, score], axis=1)), expected)
    assert metrics.roc_auc([0, 1], [0.3, 0.3]) == 0.5


# ---- Regression -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(30,), (30, 1), (30, 4)])
def test_regression_metrics_are_scikit_learns(shape: tuple[int, ...]) -> None:
    theirs, rng = sklearn_metrics(), np.random.default_rng(6)
    true = rng.normal(size=shape)
    pred = true + rng.normal(size=shape) / 3
    same(metrics.mse(true, pred), theirs.mean_squared_error(true, pred))
    same(metrics.mae(true, pred), theirs.mean_absolute_error(true, pred))
    same(metrics.r2(true, pred), theirs.r2_score(true, pred))
    same(metrics.rmse(true, pred), theirs.root_mean_squared_error(true, pred))
    if len(shape) == 1:
        assert metrics.mse(true, pred[:, None]) == metrics.mse(true, pred)
        same(metrics.rmse(true, pred) ** 2, metrics.mse(true, pred))


def test_r2_of_an_output_that_never_changes() -> None:
    theirs = sklearn_metrics()
    true = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 2.0]])
    pred = np.array([[1.0, 1.0, 1.5], [1.0, 2.0, 1.5]])
    same(metrics.r2(true, pred), theirs.r2_score(true, pred))
    assert metrics.r2(true[:, 0], pred[:, 0]) == 1
    assert metrics.r2(true[:, 1], pred[:, 1]) == 0


# ---- What has no value ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.roc_auc([1, 1], [0.1, 0.2]), r"\[roc_auc\] y_true holds the labels \[1\]"),
        (lambda: metrics.roc_auc([0, 1], [0.1, 0.2], [0, 1]), r"\[roc_auc\] .* the curve needs rows of two that count"),
        (lambda: metrics.roc_auc([0, 1], np.eye(3)[:2]), r"no row that counts, or no other, of the classes \[2\]"),
        (lambda: metrics.r2([1.0], [1.0]), r"\[r2\] y_true has 1 row"),
    ],
)
def test_what_has_no_value_is_nan_with_a_warning(call: Callable[[], Any], message: str) -> None:
    with pytest.warns(RuntimeWarning, match=f"{message}.*; the metric is NaN"):
        assert np.isnan(call())


def test_areas_of_classes_that_are_there_have_values() -> None:
    scores = np.array([[0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.9, 0.1, 0.0]])
    with pytest.warns(RuntimeWarning, match=r"classes \[2\]"):
        found = metrics.roc_auc([0, 1, 0], scores, average=None)
    np.testing.assert_array_equal(found, [1, 1, np.nan])


# ---- Steps and pixels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 2)])
@pytest.mark.parametrize("name", [*CLASSIFICATION, "top_k_accuracy", "roc_auc"])
def test_labels_of_places_are_rows(name: str, shape: tuple[int, ...]) -> None:
    rng, metric = np.random.default_rng(7), getattr(metrics, name)
    k = {"k": 2} if name == "top_k_accuracy" else {}
    true, rows = rng.integers(3, size=shape), rng.uniform(size=(np.prod(shape), 3))
    scores = rows.reshape(*shape, 3) if len(shape) == 2 else np.moveaxis(rows.reshape(*shape, 3), -1, 1)
    samples, places = rng.uniform(size=len(true)), rng.uniform(size=shape)
    every = np.repeat(samples, true[0].size)
    for given, weight in ((None, None), (samples, every), (places, places.ravel())):
        expected = metric(true.ravel(), rows, weight, **k)
        same(metric(true, scores, given, **k), expected)
        if name in CLASSIFICATION:
            same(metric(true, rows.argmax(axis=1).reshape(shape), given), expected)


def test_numbers_of_places_are_rows_and_may_have_weights_of_their_own() -> None:
    rng = np.random.default_rng(8)
    for shape, axis in (((4, 5, 2), -1), ((4, 2, 3, 3), 1)):
        true, pred, weight = (rng.uniform(size=shape) for _ in range(3))
        rows = [np.moveaxis(each, axis, -1).reshape(-1, 2) for each in (true, pred, weight)]
        for name in ("mse", "rmse", "mae", "r2"):
            metric = getattr(metrics, name)
            same(metric(true, pred), metric(*rows[:2]))
            same(metric(true, pred, weight), metric(*rows))
            same(metric(true, pred, [1, 0, 2, 3]), metric(*rows[:2], np.repeat([1, 0, 2, 3], len(rows[0]) // 4)))


def test_weights_of_numbers_leave_out_what_is_not_known() -> None:
    true, pred = np.array([[1.0, 5.0, 9.0], [2.0, 5.0, 0.0]]), np.array([[1.0, 6.0, 0.0], [4.0, 7.0, 0.0]])
    weight = np.array([[1, 1, 0], [1, 0, 0]])  # of the last output nothing is known
    assert metrics.mse(true, pred, weight) == (0 + 4 + 1) / 3
    assert metrics.mae(true, pred, weight) == (0 + 2 + 1) / 3
    assert metrics.rmse(true, pred, weight) == (np.sqrt(4 / 2) + 1) / 2
    assert metrics.r2(true, pred, weight) == (1 - 4 / 0.5 + 0) / 2


# ---- Refusals and names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy([0, 1, 1], [0, 1, 1, 0]), r"\[accuracy\] y_true has 3 rows but y_pred has 4"),
        (lambda: metrics.accuracy([], []), r"\[accuracy\] y_true has shape \(0,\)"),
        (lambda: metrics.accuracy([0, 1], [0.3, 0.7]), r"y_pred holds 0.3 at index 0.*column of shape \(n, 1\)"),
        (lambda: metrics.accuracy([0, 1.7], [0, 1]), "y_true holds 1.7 at index 1"),
        (lambda: metrics.accuracy([0, 1], [[0.1, np.nan], [1, 0]]), r"y_pred has 1 NaN, the first at \(0, 1\)"),
        (lambda: metrics.accuracy([0, 1], np.zeros((2, 2, 2))), r"y_pred has shape \(2, 2, 2\)"),
        (lambda: metrics.accuracy([0, 1], np.zeros((2, 0))), r"y_pred has shape \(2, 0\)"),
        (lambda: metrics.precision([0, 1], [0, 1], average="mean"), r"\[precision\] unknown average 'mean'"),
        (lambda: metrics.f1([0, 2], [0, 1], average="binary"), r"labels are \[0, 1, 2\]; use 'macro'"),
        (lambda: metrics.top_k_accuracy([0, 1], np.eye(2), k=3), "k is 3 but y_pred has 2 columns"),
        (lambda: metrics.top_k_accuracy([0, 2], np.eye(2), k=1), "label 2 at index 1 has no column"),
        (lambda: metrics.top_k_accuracy([0, 1], [0, 1]), r"y_pred has shape \(2,\)"),
        (
            lambda: metrics.accuracy([[1, 0, 1], [0, 1, 0]], np.eye(3)[:2]),
            r"y_true has several labels or none in row 0",
        ),
        (lambda: metrics.accuracy([0, 1], [0, 1], threshold=0.3), "threshold is 0.3 but y_pred, of shape .* no column"),
        (lambda: metrics.accuracy([0, 1], np.eye(2), threshold=0.3), "threshold is 0.3 but y_pred, of shape .* no col"),
        (lambda: metrics.accuracy([0, 1], [0, 1], [1, 2, 3]), r"sample_weight has shape \(3,\); give .*: \(2,\)$"),
        (lambda: metrics.mse(np.eye(2), np.eye(2), np.eye(3)), r"shape \(3, 3\); .*, or one for each number: \(2, 2\)"),
        (lambda: metrics.mse([0, 1], [0, 1], [1, -1]), r"\[mse\] sample_weight has -1.0 at \(1,\)"),
        (lambda: metrics.f1([0, 1], [0, 1], [1, np.inf]), r"\[f1\] sample_weight has inf at \(1,\)"),
        (lambda: metrics.f1([0, 1], [0, 1], [1, np.nan]), r"\[f1\] sample_weight has 1 NaN, the first at \(1,\)"),
        (lambda: metrics.roc_auc([0, 1], [0, 1], [0, 0]), "sample_weight is zero for all 2 samples"),
        (lambda: metrics.roc_auc([0, 1, 2], [0.1, 0.2, 0.3]), r"labels \[0, 1, 2\] but y_pred has shape \(3,\)"),
        (lambda: metrics.roc_auc([0, 3], np.eye(3)[:2]), "label 3 at index 1 has no column; y_pred has 3"),
        (lambda: metrics.roc_auc([0, 1], np.eye(3)[:2], average="mean"), r"\[roc_auc\] unknown average 'mean'"),
        (lambda: metrics.roc_auc([0, 1], np.zeros((2, 4, 3))), r"y_pred has shape \(2, 4, 3\) but y_true \(2,\)"),
        (lambda: metrics.mse([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), r"y_true has shape \(2,\) but y_pred has \(2, 2\)"),
        (lambda: metrics.get("acuracy"), "unknown metric 'acuracy'; use one of accuracy"),
        (lambda: metrics.get("confusion_matrix"), "unknown metric 'confusion_matrix'"),
    ],
)
def test_refusals_say_what_is_wrong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", [["a", "b"], [None, 1], np.array([1 + 2j, 3])])
def test_only_numbers_are_taken(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"\[accuracy\] y_pred has dtype .*; pass numbers"):
        metrics.accuracy([0, 1], bad)
    with pytest.raises(TypeError, match=r"\[compile\] metric is .*; give one of accuracy"):
        metrics.get(bad if isinstance(bad, list) else [])


def test_every_scalar_metric_is_found_by_its_name() -> None:
    for name in ["accuracy", "top_k_accuracy", "precision", "recall", "f1", "roc_auc", "mse", "rmse", "mae", "r2"]:
        assert metrics.get(name) is getattr(metrics, name)
        assert metrics.name_of(metrics.get(name)) == metrics.name_of(name) == name

    def largest_error(y_true: Any, y_pred: Any) -> float:
        return float(abs(y_true - y_pred).max())

    assert metrics.get(largest_error) is largest_error
    assert metrics.name_of(largest_error) == "largest_error"
