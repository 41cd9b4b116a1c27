"""How much each sample of a fit counts."""

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from loss_cases import LOSSES
from small_fits import MANY, assert_same_weights, data, regressor
from support import assert_same_bits
from tolerance import assert_relative, eps


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
