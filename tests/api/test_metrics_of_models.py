"""The metrics of fit and evaluate: what they are given, how they are named, and what happens where they fail."""

import functools
import math
from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import metrics
from support import unchanged

N = 24
X = np.random.default_rng(0).normal(size=(N, 3))


def network(loss: str, k: int, own: Any = None, **settings: Any) -> nn.Sequential:
    last = [nn.Sigmoid()] if loss == "bce" else []
    model = nn.Sequential(nn.Linear(3, k), *last, dtype="float64", seed=2)
    model.compile(loss, nn.SGD(lr=0.0), metrics=own, **settings)
    return model


# Loss, outputs, targets as given, and the shapes that a function of the user's sees.
Y = np.arange(N) % 2
GIVEN: list[tuple[str, int, Any, tuple[int, ...], tuple[int, ...]]] = [
    ("mse", 1, X[:, 0], (N, 1), (N, 1)),
    ("mse", 1, X[:, :1], (N, 1), (N, 1)),
    ("mse", 3, X, (N, 3), (N, 3)),
    ("bce", 1, Y, (N, 1), (N, 1)),
    ("bce_with_logits", 1, Y[:, None], (N, 1), (N, 1)),
    ("bce_with_logits", 3, (X > 0) * 1.0, (N, 3), (N, 3)),
    ("cross_entropy", 3, np.arange(N) % 3, (N,), (N, 3)),
    ("cross_entropy", 3, (np.arange(N) % 3)[:, None], (N,), (N, 3)),
    ("cross_entropy", 3, np.eye(3)[np.arange(N) % 3], (N, 3), (N, 3)),
]


@pytest.mark.parametrize(("loss", "k", "y", "true", "pred"), GIVEN)
def test_functions_of_ones_own_see_targets_and_outputs_in_one_shape(
    loss: str, k: int, y: Any, true: tuple[int, ...], pred: tuple[int, ...]
) -> None:
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def watch(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        seen.append((y_true, y_pred))
        return 0.0

    model = network(loss, k, [watch])
    model.fit(X, y, validation_data=(X, y), verbose=0)
    model.evaluate(X, y)
    assert [(a.shape, b.shape) for a, b in seen] == [(true, pred)] * 3
    outputs = model.predict(X)
    expected = nn.functional.sigmoid(outputs) if loss == "bce_with_logits" else outputs
    assert all((b == expected).all() for _, b in seen)


@pytest.mark.parametrize("name", ["mae", "mse", "r2", "rmse"])
@pytest.mark.parametrize("y", [X[:, 0], X[:, :1]])
def test_a_function_of_ones_own_gives_what_the_same_of_nnexts_gives(name: str, y: np.ndarray) -> None:
    def mine(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float(getattr(metrics, name)(y_true, y_pred))

    model = network("mse", 1, {"theirs": name, "mine": mine})
    scores = model.evaluate(X, y)
    assert scores["theirs"] == scores["mine"] == getattr(metrics, name)(y, model.predict(X))


def test_metrics_of_numbers_compare_probabilities_with_classes() -> None:
    labels = np.arange(N) % 3
    model = network("cross_entropy", 3, "mse")
    brier = ((nn.functional.softmax(model.predict(X)) - np.eye(3)[labels]) ** 2).mean()
    assert model.evaluate(X, labels)["mse"] == pytest.approx(brier, rel=1e-12)
    model = network("bce_with_logits", 1, "mae")
    assert model.evaluate(X, Y)["mae"] == pytest.approx(abs(model.predict_proba(X)[:, 1] - Y).mean(), rel=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "f1", "precision", "recall"])
@pytest.mark.parametrize("k", [1, 3])
def test_metrics_of_classes_compare_what_predict_classes_says(name: str, k: int) -> None:
    model = network("bce_with_logits" if k == 1 else "cross_entropy", k, name)
    y = np.arange(N) % max(k, 2)
    average = {} if name == "accuracy" or k == 1 else {"average": "macro"}
    assert model.evaluate(X, y)[name] == getattr(metrics, name)(y, model.predict_classes(X), **average)


# ---- Names ----------------------------------------------------------------------------------------------------------


def test_metrics_with_settings_are_named_by_them() -> None:
    top = functools.partial
    model = network(
        "cross_entropy", 4, [top(metrics.top_k_accuracy, k=1), top(metrics.top_k_accuracy, k=3), "accuracy"]
    )
    scores = model.evaluate(X, np.arange(N) % 4)
    assert list(scores.keys()) == ["loss", "top_k_accuracy(k=1)", "top_k_accuracy(k=3)", "accuracy"]
    assert scores["top_k_accuracy(k=1)"] == scores["accuracy"] <= scores["top_k_accuracy(k=3)"]


@pytest.mark.parametrize("own", ["accuracy", metrics.accuracy, ["accuracy"], ("accuracy",), {"accuracy": "accuracy"}])
def test_one_metric_or_many(own: Any) -> None:
    assert list(network("cross_entropy", 2, own).evaluate(X, Y).keys()) == ["loss", "accuracy"]
    assert list(network("cross_entropy", 2, None).evaluate(X, Y).keys()) == ["loss"]


def test_scores_cannot_be_taken_apart_as_numbers() -> None:
    scores = network("cross_entropy", 2, "accuracy").evaluate(X, Y)
    with pytest.raises(TypeError, match=r"\[evaluate\] the result is a dict; write scores\['loss'\], or loop over"):
        _loss, _accuracy = scores
    assert dict(scores) == {**scores} == scores
    assert "loss" in scores


# ---- What cannot be computed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "k", "name", "y", "message"),
    [
        ("bce", 1, "roc_auc", np.zeros(N), "roc_auc"),
        ("cross_entropy", 3, "roc_auc", np.arange(N) % 3, "roc_auc"),
        ("cross_entropy", 3, "top_k_accuracy", np.arange(N) % 3, "k is 5 but y_pred has 3 columns"),
        ("bce", 1, "accuracy", np.linspace(0, 1, N), "which is no class"),
        ("cross_entropy", 2, "accuracy", np.full((N, 2), 0.5), "rows with several labels or none"),
    ],
)
def test_what_no_epoch_can_compute_fails_before_the_first_step(
    loss: str, k: int, name: str, y: np.ndarray, message: str
) -> None:
    calls: list[Any] = []
    watch = nn.LambdaCallback(on_train_begin=calls.append, on_epoch_begin=lambda *a: calls.append(a))
    model = network(loss, k, name)
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.fit(X, y, callbacks=watch, verbose=0)
    assert not calls


def test_what_an_epoch_cannot_compute_is_nan_with_one_warning() -> None:
    calls = []

    def sometimes(y_true: Any, y_pred: Any) -> float:
        calls.append(1)
        if len(calls) % 2:
            raise ZeroDivisionError("nothing to divide by")
        return 1.0

    model = network("cross_entropy", 2, [sometimes, "accuracy"])
    with pytest.warns(RuntimeWarning, match="'sometimes' is NaN .*: ZeroDivisionError: nothing to divide by") as told:
        history = model.fit(X, Y, epochs=5, verbose=0).history
    assert len(told) == 1
    assert [math.isnan(value) for value in history["sometimes"]] == [True, False, True, False, True]
    assert not any(map(math.isnan, history["accuracy"]))
    calls.clear()
    with pytest.raises(ZeroDivisionError):
        model.evaluate(X, Y)
