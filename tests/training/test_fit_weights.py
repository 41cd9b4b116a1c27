"""Weights of classes, and losses of one's own."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from small_fits import assert_same_weights, data, own_mse, regressor
from support import assert_same_bits, unchanged
from tolerance import assert_relative, assert_within, eps

# ---- Class weights --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weights_are_the_weights_of_their_samples(rng: np.random.Generator, one_hot: bool) -> None:
    X, labels = rng.normal(size=(12, 4)), rng.integers(3, size=12)
    y = np.eye(3)[labels] if one_hot else labels
    own = rng.uniform(1, 2, size=12)
    by_class, by_sample = (regressor("cross_entropy", 3) for _ in range(2))
    by_class.fit(X, y, class_weight={0: 0.5, 2: 3}, sample_weight=own, verbose=0)  # class 1 is absent: 1
    by_sample.fit(X, y, sample_weight=own * np.array([0.5, 1, 3])[labels], verbose=0)
    assert_same_bits(training_state(by_class), training_state(by_sample))


def test_balanced_gives_each_class_the_same_total(rng: np.random.Generator) -> None:
    """The formula of scikit-learn: n / (classes * count)."""
    X, y = rng.normal(size=(12, 4)), np.array([0] * 8 + [1] * 3 + [2])
    balanced, by_hand = (regressor("cross_entropy", 3) for _ in range(2))
    balanced.fit(X, y, class_weight="balanced", verbose=0)
    by_hand.fit(X, y, class_weight={0: 12 / 24, 1: 12 / 9, 2: 12 / 3}, verbose=0)
    assert_same_bits(training_state(balanced), training_state(by_hand))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"class_weight": "equal"}, ValueError, r"\[fit\] unknown class_weight 'equal'; use 'balanced' or a dict"),
        ({"class_weight": [1, 2]}, TypeError, r"\[fit\] class_weight is \[1, 2\]; use 'balanced' or a dict"),
        ({"class_weight": {0: -1}}, ValueError, r"\[fit\] class_weight\[0\] is -1; give a finite number"),
        ({"class_weight": {1: np.nan}}, ValueError, r"\[fit\] class_weight\[1\] is nan; give a finite number"),
        ({"class_weight": {0: "2"}}, TypeError, r"\[fit\] class_weight\[0\] is '2'; give a number"),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, ValueError, r"sample_weight is zero for all 12 samples"),
        ({"class_weight": {0: 2}, "sample_weight": [2.0]}, ValueError, r"sample_weight has shape \(1,\) but y has 12"),
        ({"class_weight": {0: 2}, "sample_weight": np.ma.array([1] * 12, mask=[1] * 12)}, TypeError, "masked values"),
        ({"class_weight": {0: 2}, "sample_weight": ["a"] * 12}, TypeError, "sample_weight has dtype <U1"),
    ],
)
def test_class_weights_that_mean_nothing_are_refused(
    rng: np.random.Generator, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = regressor("cross_entropy", 3)
    with unchanged(model), pytest.raises(error, match=message):
        model.fit(rng.normal(size=(12, 4)), np.arange(12) % 3, verbose=0, **arguments)


# ---- Losses of one's own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [nn.SGD(lr=0.1, momentum=0.9), nn.Adam(lr=0.01), nn.Adagrad()])
def test_an_own_loss_trains_like_the_built_in_one(rng: np.random.Generator, optimizer: nn.optimizers.Optimizer) -> None:
    X, y = data(rng)
    own, built_in = regressor(own_mse, optimizer=optimizer), regressor("mse", optimizer=optimizer)
    arguments = {"epochs": 3, "batch_size": 5, "validation_data": (X[:4], y[:4]), "verbose": 0}
    histories = [model.fit(X, y, **arguments).history for model in (own, built_in)]
    assert_same_weights(own, built_in, 1e5 * eps("float64"))  # Adam magnifies what is lost in small gradients
    assert internals.counters(own) == internals.counters(built_in)
    for name in ("loss", "val_loss"):
        assert_relative(histories[0][name], histories[1][name], 1e5 * eps("float64"))
    assert_relative(own.evaluate(X, y)["loss"], built_in.evaluate(X, y)["loss"], 1e5 * eps("float64"))
    grads = [model.loss_and_grads(X, y) for model in (own, built_in)]
    assert_relative(grads[0][0], grads[1][0], 1e5 * eps("float64"))
    for name, gradient in grads[0][1].items():
        assert_within(gradient, grads[1][1][name], 1e6 * eps("float64"))


def test_an_own_loss_with_metrics_and_images(rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.Softmax())
    model.compile(loss=lambda p, t: (0.5, np.zeros_like(p)), optimizer="sgd", metrics=["accuracy"])
    X, y = rng.normal(size=(9, 2, 2)), np.arange(9) % 2
    history = model.fit(X, y, batch_size=4, validation_split=0.3, verbose=0).history
    assert history["loss"] == history["val_loss"] == [0.5]
    assert history["accuracy"] == [float((model.predict_classes(X[:7]) == y[:7]).mean())]


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (lambda p, t: 3.0, TypeError, r"the loss function gave float; it must return \(loss, grad\)"),
        (lambda p, t: (0.0, p[:1]), ValueError, r"gave a gradient of shape \(1, 2\) for y_pred of shape \(5, 2\)"),
    ],
)
def test_an_own_loss_that_gives_something_else_is_named(
    rng: np.random.Generator, loss: Any, error: type[Exception], message: str
) -> None:
    model, (X, y) = regressor(loss), data(rng)
    before = model.state_dict()
    with pytest.raises(error, match=message):
        model.fit(X, y, batch_size=5, verbose=0)
    assert_same_bits(model.state_dict(), before)


def test_an_exception_of_an_own_loss_leaves_a_whole_step(rng: np.random.Generator) -> None:
    calls: list[int] = []

    def third_time_unlucky(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(len(p))
        if len(calls) == 3:
            raise ZeroDivisionError("mine")
        return own_mse(p, t)

    model, (X, y) = regressor(third_time_unlucky), data(rng)
    with pytest.raises(ZeroDivisionError, match="mine"):
        model.fit(X, y, batch_size=5, shuffle=False, verbose=0)
    twin = regressor()
    twin.fit(X[:10], y[:10], batch_size=5, shuffle=False, verbose=0)
    assert internals.counters(model) == internals.counters(twin)
    assert_same_weights(model, twin)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda X, y: {"X": np.where(np.arange(4) == 2, np.nan, X)}, r"\[fit\] X has 12 values that are NaN"),
        (lambda X, y: {"y": y[:-1]}, r"\[fit\] y has shape \(11, 2\) but X has 12 rows"),
        (lambda X, y: {"X": X[:0], "y": y[:0]}, r"\[fit\] X has 0 rows"),
        (lambda X, y: {"X": X[:, :3]}, r"\[fit\] X has 3 features but the network expects 4"),
        (lambda X, y: {"sample_weight": np.ones(12)}, r"\[fit\] weights do not work with a loss function of your own"),
        (lambda X, y: {"class_weight": {0: 1.0}}, r"\[fit\] weights do not work with a loss function of your own"),
        (lambda X, y: {"validation_data": (X[:, :1], y)}, r"\[fit: validation_data\] X has 1 features"),
        (lambda X, y: {"validation_data": (X, y, np.ones(12))}, r"\[fit: validation_data\] weights do not work"),
    ],
)
def test_bad_data_is_refused_before_the_first_call_of_an_own_loss(
    rng: np.random.Generator, break_it: Any, message: str
) -> None:
    calls: list[int] = []
    model, (X, y) = regressor(lambda p, t: calls.append(1)), data(rng)
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.fit(**{"X": X, "y": y, "batch_size": 2, "verbose": 0, **break_it(X, y)})
    assert not calls


def test_weights_are_refused_where_an_own_loss_is_evaluated(rng: np.random.Generator) -> None:
    model, (X, y) = regressor(own_mse), data(rng)
    for operation in ("evaluate", "loss_and_grads"):
        with pytest.raises(ValueError, match=rf"\[{operation}\] weights do not work with a loss function of your own"):
            getattr(model, operation)(X, y, sample_weight=np.ones(12))
