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


def test_evaluate_takes_other_metrics_for_once() -> None:
    model = network("cross_entropy", 2, "accuracy")
    scores = model.evaluate(X, Y, metrics={"micro": functools.partial(metrics.f1, average="micro"), "mae": "mae"})
    assert list(scores.keys()) == ["loss", "micro", "mae"]
    assert scores["micro"] == model.evaluate([(X, Y)])["accuracy"]
    assert list(model.evaluate([(X, Y)], metrics=[]).keys()) == ["loss"]
    for wrong, message in (("acuracy", "unknown metric 'acuracy'"), (["mae", "mae"], "two metrics are named 'mae'")):
        with unchanged(model), pytest.raises(ValueError, match=rf"\[evaluate\] {message}"):
            model.evaluate(X, Y, metrics=wrong)
    with pytest.raises(ValueError, match=r"\[evaluate\] metric 'f1' compares classes, but the network gives num"):
        network("mse", 1).evaluate(X, X[:, 0], metrics="f1")


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (functools.partial(metrics.mse, sample_weight=[1.0]), "weights of its own; give sample_weight to fit and eval"),
        (functools.partial(metrics.mse, [1.0]), "has settings without names; give all of them by name"),
    ],
)
def test_settings_are_by_name_and_no_weights(chosen: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"\[compile\] the metric 'mse\(.*{message}"):
        network("mse", 1, chosen)


# ---- Weights --------------------------------------------------------------------------------------------------------

CLASSES = ["accuracy", "f1", "precision", "recall", "roc_auc"]
NUMBERS = ["mse", "rmse", "mae", "r2"]
WEIGHT = np.random.default_rng(1).uniform(size=N)


def test_every_metric_of_classes_is_weighted_as_the_same_function() -> None:
    top = functools.partial(metrics.top_k_accuracy, k=2)
    for k, loss, own in ((1, "bce", CLASSES), (2, "cross_entropy", CLASSES), (3, "cross_entropy", [*CLASSES, top])):
        y = np.arange(N) % max(k, 2)
        scores = network(loss, k, own).evaluate(X, y, sample_weight=WEIGHT)
        probable = network(loss, k).predict_proba(X) if k > 1 else network(loss, k).predict(X)
        for metric in own:
            function = getattr(metrics, metric) if isinstance(metric, str) else metric
            expected = function(y, probable, WEIGHT)
            assert scores[metrics.name_of(metric)] == pytest.approx(expected, rel=1e-12)
            assert function(y, probable) != expected


@pytest.mark.parametrize("weight", [WEIGHT, np.random.default_rng(2).uniform(size=(N, 3))])
def test_metrics_of_numbers_and_several_labels_take_weights_of_samples_or_outputs(weight: np.ndarray) -> None:
    model = network("mse", 3, NUMBERS)
    scores, outputs = model.evaluate(X, X, sample_weight=weight), model.predict(X)
    for name in NUMBERS:
        assert scores[name] == pytest.approx(getattr(metrics, name)(X, outputs, weight), rel=1e-12)
    model = network("bce_with_logits", 3, CLASSES)
    labels = (X > 0).astype(int)
    scores, outputs = model.evaluate(X, labels, sample_weight=weight), model.predict_proba(X)
    each = np.broadcast_to(weight.reshape(N, -1), (N, 3)).ravel()
    for name in CLASSES:
        expected = getattr(metrics, name)(labels.ravel(), outputs.reshape(-1, 1), each)
        assert scores[name] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weight", [WEIGHT, np.random.default_rng(2).uniform(size=(N, 4))])
def test_metrics_of_steps_take_weights_of_samples_or_steps(weight: np.ndarray) -> None:
    steps = np.random.default_rng(3).normal(size=(N, 4, 3))
    y = np.arange(N * 4).reshape(N, 4) % 3
    scores = network("cross_entropy", 3, CLASSES).evaluate(steps, y, sample_weight=weight)
    probable = network("cross_entropy", 3, CLASSES).predict_proba(steps)
    for name in CLASSES:
        assert scores[name] == pytest.approx(getattr(metrics, name)(y, probable, weight), rel=1e-12)


@pytest.mark.parametrize("shape", [(N,), (N, 2, 3), (N, 4, 2, 3)])
def test_metrics_of_numbers_of_pixels_take_weights_of_samples_pixels_or_numbers(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    images, y = rng.normal(size=(N, 3, 2, 3)), rng.normal(size=(N, 4, 2, 3))
    weight = rng.uniform(size=shape)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), dtype="float64")
    model.compile("mse", metrics=NUMBERS)
    scores, outputs = model.evaluate(images, y, sample_weight=weight), model.predict(images)
    each = np.broadcast_to(weight.reshape(N, *[1] * (4 - len(shape)), *shape[1:]), y.shape)
    assert scores["loss"] == pytest.approx(scores["mse"], rel=1e-12)
    for name in NUMBERS:
        assert scores[name] == pytest.approx(getattr(metrics, name)(y, outputs, each), rel=1e-12)


def test_fit_and_validation_weigh_by_samples_and_not_by_classes() -> None:
    chosen, y = ["accuracy", "mae"], np.arange(N) % 3
    model = network("cross_entropy", 3, chosen)
    weight, part = np.where(np.arange(N) % 5, WEIGHT, 0), slice(7)  # what has weight 0 is left out
    expected = model.evaluate(X, y, sample_weight=weight), model.evaluate(X[part], y[part], sample_weight=WEIGHT[part])
    held = (X[part], y[part], WEIGHT[part])
    classes = {0: 3.0, 1: 0.5}
    history = model.fit(X, y, sample_weight=weight, class_weight=classes, validation_data=held, verbose=0).history
    for name in chosen:
        assert history[name] == [pytest.approx(expected[0][name], rel=1e-12)]
        assert history[f"val_{name}"] == [pytest.approx(expected[1][name], rel=1e-12)]


def test_batches_bring_weights_of_their_own_or_count_1() -> None:
    chosen, labels = ["accuracy", "f1"], (X > 0).astype(float)
    each = np.random.default_rng(2).uniform(size=(8, 3))
    given = [(X[:8], labels[:8], WEIGHT[:8]), (X[8:16], labels[8:16]), (X[16:], labels[16:], each)]
    together = np.concatenate([np.repeat(WEIGHT[:8, None], 3, axis=1), np.ones((8, 3)), each])
    model = network("bce_with_logits", 3, chosen)
    expected = model.evaluate(X, labels, sample_weight=together)
    history = model.fit(given, validation_data=given, verbose=0).history
    scores = model.evaluate(given)
    for name in chosen:
        assert scores[name] == history[name][0] == history[f"val_{name}"][0] == pytest.approx(expected[name], rel=1e-12)


def test_functions_of_ones_own_are_weighted_if_they_take_weights() -> None:
    seen: list[Any] = []

    def plain(y_true: Any, y_pred: Any) -> float:
        seen.append("plain")
        return 0.0

    def weighted(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        seen.append(sample_weight)
        return float(np.average(abs(y_true - y_pred)[:, 0], weights=sample_weight))

    model = network("mse", 1, {"plain": plain, "weighted": weighted, "mae": "mae"})
    scores = model.evaluate(X, X[:, 0])
    assert seen == ["plain", None]
    assert scores["weighted"] == scores["mae"]
    scores = model.evaluate(X, X[:, 0], sample_weight=WEIGHT[:, None])
    assert scores["weighted"] == pytest.approx(scores["mae"], rel=1e-12)
    assert seen[2] == "plain"
    assert (seen[3] == WEIGHT).all()


# ---- Thresholds and several classes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["bce", "bce_with_logits"])
def test_a_threshold_is_of_probabilities(loss: str) -> None:
    careful = functools.partial(metrics.precision, threshold=0.6)
    model = network(loss, 1, {"at 0.5": "precision", "at 0.6": careful})
    scores, probable = model.evaluate(X, Y), model.predict_proba(X)[:, 1:]
    assert scores["at 0.5"] == metrics.precision(Y, probable)
    assert scores["at 0.6"] == metrics.precision(Y, probable, threshold=0.6) != scores["at 0.5"]


# ---- What cannot be computed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "k", "name", "y", "message"),
    [
        ("bce", 1, "roc_auc", np.zeros(N), "roc_auc"),
        ("cross_entropy", 3, "roc_auc", np.arange(N) % 2, r"roc_auc.* of the classes \[2\]"),
        ("mse", 1, "r2", X[:1, 0], "r2"),
        (
            "cross_entropy",
            3,
            functools.partial(metrics.f1, average=None),
            Y,
            "it gives 2 numbers, but History takes one",
        ),
        ("cross_entropy", 3, functools.partial(metrics.f1, threshold=0.3), Y, "largest of 3 outputs .*; leave it out"),
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
        model.fit(X[: len(y)], y, callbacks=watch, verbose=0)
    assert not calls


def test_what_has_no_value_for_some_targets_is_nan_in_evaluate_and_the_rest_is_there() -> None:
    model = network("bce", 1, ["roc_auc", "accuracy"])
    with pytest.warns(RuntimeWarning, match=r"\[evaluate\] metric 'roc_auc' is NaN: .* labels \[1\]"):
        scores = model.evaluate(X, np.ones(N))
    assert math.isnan(scores["roc_auc"])
    assert scores["accuracy"] == metrics.accuracy(np.ones(N), model.predict(X))


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
