"""BatchNorm1d: when its statistics move, what a frozen one does, and which batches it cannot take."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from nnext import reference
from support import assert_same_bits, unchanged
from tolerance import assert_within, eps

FEATURES, ROWS = 6, 70  # rows in two chunks of 32 and one of 6
STATISTICS = ("0.running_mean", "0.running_var", "0.num_batches_tracked")


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples whose means are large beside how far they spread."""
    return 50 + rng.normal(size=(ROWS, FEATURES)), rng.normal(size=(ROWS, 2))


def network(dtype: str = "float64", **settings: Any) -> nn.Sequential:
    model = nn.Sequential(nn.BatchNorm1d(FEATURES, **settings), nn.Linear(FEATURES, 2), seed=1, dtype=dtype)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.1, weight_decay=0.1))
    return model


@pytest.mark.parametrize("momentum", [0.1, 1.0, 0.0, None])
def test_statistics_move_with_steps_as_pytorchs_do(isa: str, data: Any, momentum: float | None) -> None:
    (X, y), model = data, network(momentum=momentum)
    mean, variance = np.zeros(FEATURES), np.ones(FEATURES)
    for count, rows in enumerate((slice(0, 70), slice(0, 33), slice(10, 12)), start=1):
        model.loss_and_grads(X[rows], y[rows])
        model.step()
        rate = 1 / count if momentum is None else momentum
        mean = (1 - rate) * mean + rate * X[rows].mean(axis=0)
        variance = (1 - rate) * variance + rate * X[rows].var(axis=0, ddof=1)
        state = model.state_dict()
        assert state["0.num_batches_tracked"] == count
        # A mean of 70 numbers of size 50, and the squares of what is left of them.
        assert_within(state["0.running_mean"], mean, 100 * 50 * eps("float64"))
        assert_within(state["0.running_var"], variance, 2 * 100 * 50 * eps("float64") * variance.max())


def test_a_large_mean_costs_no_digits_of_the_variance(isa: str, dtype: str, rng: np.random.Generator) -> None:
    """E[x^2] - E[x]^2 would have none left in float32."""
    X = (1e4 + rng.normal(size=(ROWS, FEATURES))).astype(dtype)
    model = nn.Sequential(nn.BatchNorm1d(FEATURES, eps=1e-9), dtype=dtype)
    wide = X.astype(np.float64)
    expected = (wide - wide.mean(axis=0)) / np.sqrt(wide.var(axis=0) + 1e-9)
    assert_within(model.forward(X), expected, 1e4 * 40 * eps(dtype) * (1 + np.abs(expected)))


def test_passes_change_no_statistics_and_a_step_does(data: Any) -> None:
    (X, y), model = data, network()
    before = model.state_dict()
    with unchanged(model):
        outputs = model.forward(X)
        model.backward(np.ones_like(outputs))
        model.forward(X, training=False)
        model.loss_and_grads(X, y)
        model.evaluate(X, y)
        model.predict(X)
    model.step()
    assert all((model.state_dict()[name] != before[name]).all() for name in before)


def test_outputs_are_of_the_batch_in_training_and_of_the_statistics_otherwise(data: Any) -> None:
    (X, y), model = data, network()
    model.fit(X, y, epochs=50, batch_size=ROWS, verbose=0)
    twin = reference.Network.from_model(model)
    for training in (False, True):
        assert_within(model.forward(X, training=training), twin.forward(X, training=training), 1e-12)
    assert np.abs(model.predict(X) - model.forward(X)).max() > 1e-6
    assert_same_bits(model.predict(X[:1]), model.predict(X)[:1])


def test_a_frozen_one_evaluates_and_keeps_what_it_has(isa: str, data: Any, dtype: str) -> None:
    (X, y), model = data, network(dtype)
    model.fit(X, y, batch_size=20, verbose=0)
    model.freeze("0")
    before = model.state_dict()
    assert_same_bits(model.forward(X), model.predict(X))
    loss, grads = model.loss_and_grads(X[:1], y[:1])  # one row will do
    assert_within(loss, model.evaluate(X[:1], y[:1])["loss"], 100 * eps(dtype) * loss)
    assert not grads["0.weight"].any()
    assert not grads["0.bias"].any()
    model.fit(X, y, batch_size=23, verbose=0)  # the last batch has one row
    after = model.state_dict()
    assert_same_bits({n: after[n] for n in after if n[0] == "0"}, {n: before[n] for n in before if n[0] == "0"})
    assert (after["1.weight"] != before["1.weight"]).any()
    model.unfreeze("0")
    model.fit(X, y, batch_size=ROWS, verbose=0)
    assert all((model.state_dict()[name] != after[name]).all() for name in STATISTICS)


def test_batches_of_one_row_are_refused_before_anything_changes(data: Any) -> None:
    (X, y), model = data, network()
    outer = nn.Sequential(nn.Residual(nn.Linear(FEATURES, FEATURES), nn.BatchNorm1d(FEATURES)), nn.Linear(FEATURES, 2))
    outer.compile(loss="mse")
    for net in (model, outer):
        before = training_state(net)
        for rows, batch_size in ((70, 23), (70, 1), (1, 5), (33, 32)):
            with pytest.raises(ValueError, match=rf"with {rows} samples? and batch_size={batch_size} a batch has 1"):
                net.fit(X[:rows], y[:rows], batch_size=batch_size, verbose=0)
        for call in (lambda net=net: net.forward(X[:1]), lambda net=net: net.loss_and_grads(X[:1], y[:1])):
            with pytest.raises(ValueError, match=r"batch normalization needs 2 in training; give more rows, or"):
                call()
        assert_same_bits(training_state(net), before)
        net.fit(X[:66], y[:66], batch_size=32, verbose=0)
        assert net.predict(X[:1]).shape == (1, 2)
        assert net.forward(X[:1], training=False).shape == (1, 2)


def test_statistics_are_neither_parameters_nor_gradients(data: Any) -> None:
    (X, y), model = data, network()
    assert model.count_params() == 2 * FEATURES + 2 * FEATURES + 2
    assert list(model.state_dict())[:5] == ["0.weight", "0.bias", *STATISTICS]
    assert list(model.loss_and_grads(X, y)[1]) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    state = training_state(model)
    assert not any(f"optimizer.{name}.0" in state for name in STATISTICS)
    plain = network(affine=False)
    assert list(plain.loss_and_grads(X, y)[1]) == ["1.weight", "1.bias"]
    plain.step()  # also without parameters the layer trains
    assert plain.state_dict()["0.num_batches_tracked"] == 1


def test_a_divergence_takes_statistics_back_with_the_weights(data: Any) -> None:
    (X, y), model = data, network("float32")
    model.optimizer.lr = 1e30
    with pytest.raises(nn.DivergenceError):
        model.fit(X, y, epochs=50, batch_size=35, verbose=0)
    steps = internals.counters(model)[2]
    assert model.state_dict()["0.num_batches_tracked"] == steps
    assert all(np.isfinite(values).all() for values in model.state_dict().values())
