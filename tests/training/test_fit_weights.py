"""Weights of samples and classes, and losses of one's own."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import LOSSES
from internals import training_state
from support import assert_same_bits, unchanged
from tolerance import assert_relative, assert_within, eps

MANY = 1e3 * eps("float64")  # of a few steps that differ in the order of their sums


def regressor(
    loss: Any = "mse", k: int = 2, last: nn.Layer | None = None, dtype: str = "float64", **settings: Any
) -> nn.Sequential:
    layers = [nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, k), *([last] if last is not None else [])]
    model = nn.Sequential(*layers, dtype=dtype, seed=2)
    model.compile(loss=loss, **{"optimizer": nn.SGD(lr=0.1), **settings})
    return model


def data(rng: np.random.Generator, n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(n, 4)), rng.normal(size=(n, 2))


def assert_same_weights(a: nn.Sequential, b: nn.Sequential, tolerance: float = MANY) -> None:
    for name, values in a.state_dict().items():
        assert_relative(b.state_dict()[name], values, tolerance)


# ---- Sample weights -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_of_3_is_a_sample_that_is_there_three_times(rng: np.random.Generator, loss: str) -> None:
    case = LOSSES[loss]
    last = case.last_layer or (nn.Sigmoid() if case.name == "bce" else None)
    X, y, times = rng.normal(size=(8, 4)), case.targets(rng, 8, 3), np.array([1, 3, 0, 2, 1, 1, 0, 4])
    repeated = np.repeat(np.arange(8), times)
    weighted, duplicated = (regressor(case.name, 3, last) for _ in range(2))
    histories = [
        weighted.fit(X, y, epochs=3, batch_size=8, sample_weight=times, verbose=0),
        duplicated.fit(X[repeated], y[repeated], epochs=3, batch_size=99, verbose=0),
    ]
    assert_same_weights(weighted, duplicated)
    assert_relative(histories[0].history["loss"], histories[1].history["loss"], MANY)
    values = weighted.evaluate(X, y, sample_weight=times)["loss"], duplicated.evaluate(X[repeated], y[repeated])["loss"]
    assert_relative(values[0], values[1], MANY)


@pytest.mark.parametrize("batch_size", [1, 3, 5, 12])
@pytest.mark.parametrize("loss", [name for name, case in LOSSES.items() if case.last_layer is None])
def test_a_fit_with_weights_is_this_plain_loop(rng: np.random.Generator, loss: str, batch_size: int) -> None:
    """The loss of a batch is ``sum_i w_i l_i / rows``, the w over their mean over all samples."""
    case = LOSSES[loss]
    last = nn.Sigmoid() if case.name == "bce" else None
    value, gradient = (getattr(nn.functional, case.name + end) for end in ("", "_grad"))
    X, y, weight = rng.normal(size=(12, 4)), case.targets(rng, 12, 3), rng.uniform(0, 3, size=12)
    fitted, plain = (regressor(case.make(), 3, last) for _ in range(2))
    recorded = fitted.fit(X, y, epochs=2, batch_size=batch_size, shuffle=False, sample_weight=weight, verbose=0)
    w, losses = weight / weight.mean(), []
    for _ in range(2):
        total = 0.0
        for start in range(0, 12, batch_size):
            rows = slice(start, start + batch_size)
            p = plain.forward(X[rows], training=True)
            total += sum(
                w[start + i] * value(p[i : i + 1], y[start + i : start + i + 1], **case.arguments)
                for i in range(len(p))
            )
            plain.backward(w[rows, None] * gradient(p, y[rows], **case.arguments))
            plain.step()
        losses.append(total / 12)
    assert_same_weights(fitted, plain, 1e-10)
    assert_relative(recorded.history["loss"], losses, 1e-10)


def test_weights_act_with_batches_of_one() -> None:
    """A step of SGD from 0 with x = 1 and the loss (w - t)^2 is lr 2 t times the sample's weight."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.25))
    model.fit([[1], [0]], [4, 0], batch_size=1, shuffle=False, sample_weight=[1, 3], verbose=0)
    assert model.state_dict()["0.weight"].item() == 0.25 * 2 * 4 * 0.5


def test_only_ratios_count(rng: np.random.Generator, isa: str, dtype: str) -> None:
    X, y = data(rng)
    weight = rng.integers(1, 9, size=12)
    models = [regressor(dtype=dtype) for _ in range(4)]
    large = np.finfo("float64").max / 9  # also of float32, whose largest number is much smaller
    for model, w in zip(models, (weight, weight * 4.0, weight / 4, weight * large), strict=True):
        model.fit(X, y, batch_size=5, sample_weight=w, verbose=0)
    for model in models[1:3]:  # powers of two: the same bits
        assert_same_bits(training_state(model), training_state(models[0]))
    assert_same_weights(models[3], models[0], 1e3 * eps(dtype))


@pytest.mark.parametrize("each", [1, 8, 0.1, 1e-310, 1e308])
def test_equal_weights_are_none(rng: np.random.Generator, isa: str, dtype: str, each: float) -> None:
    X, y = data(rng)
    plain, equal = regressor(dtype=dtype), regressor(dtype=dtype)
    plain.fit(X, y, batch_size=5, verbose=0)
    equal.fit(X, y, batch_size=5, sample_weight=np.full(12, each), verbose=0)
    assert_same_bits(training_state(equal), training_state(plain))
    assert plain.evaluate(X, y) == plain.evaluate(X, y, sample_weight=np.full(12, each))


def test_a_batch_that_counts_nothing_moves_nothing(rng: np.random.Generator) -> None:
    """And one of samples that count twice as much as on average moves as with twice the rate."""
    X, y = data(rng)
    weight = np.r_[np.zeros(6), np.ones(6)]
    whole, half = regressor(), regressor(optimizer=nn.SGD(lr=0.2))
    loss = whole.fit(X, y, batch_size=6, shuffle=False, sample_weight=weight, verbose=0).history["loss"]
    assert_relative(loss, half.fit(X[6:], y[6:], batch_size=6, shuffle=False, verbose=0).history["loss"], MANY)
    assert_same_bits(whole.state_dict(), half.state_dict())


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


def own_mse(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((p - t) ** 2).mean()), 2 * (p - t) / p.size


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
