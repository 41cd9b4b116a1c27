"""compile: what it takes, what it refuses, and what it leaves as it was."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"loss": "mae2"}, ValueError, r"\[compile\] unknown loss 'mae2'; use one of bce, "),
        ({"loss": None}, TypeError, r"\[compile\] loss is None; give one of bce"),
        (
            {"loss": "mse", "optimizer": "adamax"},
            ValueError,
            r"\[compile\] unknown optimizer 'adamax'; use adam",
        ),
        ({"loss": "mse", "optimizer": 3}, TypeError, r"\[compile\] optimizer is 3; give one of adam"),
        ({"loss": "mse", "optimizer": nn.MSE()}, TypeError, r"\[compile\] optimizer is MSE\(\); name them, as in"),
        (
            {"loss": "mse", "clip_norm": 0},
            ValueError,
            r"\[compile\] clip_norm is 0; give a finite .* in \(0, inf\]",
        ),
        ({"loss": "mse", "clip_norm": np.inf}, ValueError, r"\[compile\] clip_norm is inf; give a finite number"),
        ({"loss": "mse", "clip_norm": "1"}, TypeError, r"\[compile\] clip_norm is '1'; give a number"),
        ({"loss": "mse", "accumulate": 0}, ValueError, r"\[compile\] accumulate is 0; give a whole number from 1 to"),
        ({"loss": "mse", "accumulate": -1}, ValueError, r"\[compile\] accumulate is -1; give a whole number from 1 to"),
        ({"loss": "mse", "accumulate": 2.0}, TypeError, r"\[compile\] accumulate is 2.0; give a whole number"),
        ({"loss": "mse", "accumulate": True}, TypeError, r"\[compile\] accumulate is True; give a whole number"),
        ({"loss": "mse", "accumulate": None}, TypeError, r"\[compile\] accumulate is None; give a whole number"),
        ({"loss": "mse", "ema": 0}, ValueError, r"\[compile\] ema is 0; give a finite number in \(0, 1\)"),
        ({"loss": "mse", "ema": 1.0}, ValueError, r"\[compile\] ema is 1.0; give a finite number in \(0, 1\)"),
        ({"loss": "mse", "ema": np.nan}, ValueError, r"\[compile\] ema is nan; give a finite number"),
        ({"loss": "mse", "ema": True}, TypeError, r"\[compile\] ema is True; give a number"),
        ({"loss": "mse", "ema": "0.9"}, TypeError, r"\[compile\] ema is '0.9'; give a number"),
        ({"loss": "mse", "metrics": 3}, TypeError, r"\[compile\] metrics is 3; give a list"),
        ({"loss": "mse", "metrics": "accuracy"}, ValueError, r"\[compile\] metric 'accuracy' compares classes, but"),
        ({"loss": "cross_entropy", "metrics": ["f1", "f1"]}, ValueError, r"\[compile\] two metrics are named 'f1'"),
        ({"loss": "cross_entropy", "metrics": {"loss": "f1"}}, ValueError, r"\[compile\] a metric is named 'loss'"),
        ({"loss": "cross_entropy", "metrics": {"val_a": "f1"}}, ValueError, r"\[compile\] a metric is named 'val_a'"),
        ({"loss": "mse", "metrics": [lambda y: 0.0]}, TypeError, r"\[compile\] <lambda> must take \(y_true, y_pred\)"),
        ({"loss": "mse", "metrics": ["speed"]}, ValueError, "unknown metric 'speed'"),
    ],
)
def test_a_failed_compile_changes_nothing(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    model = nn.MLP([2, 3, 2])
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.1, momentum=0.9))
    model.fit([[0, 1], [1, 0]], [0, 1], verbose=0)
    before = model.evaluate([[0, 1]], [1])
    with unchanged(model), pytest.raises(error, match=message):
        model.compile(**arguments)
    assert model.evaluate([[0, 1]], [1]) == before


def test_cross_entropy_needs_two_outputs() -> None:
    model = nn.MLP([2, 3, 1])
    with pytest.raises(
        ValueError, match=r"\[compile\] cross_entropy needs an output for each class but the network has 1"
    ):
        model.compile(loss="cross_entropy")


@pytest.mark.parametrize("loss", ["mse", nn.MSE(), nn.MSE, nn.losses.MSE()])
@pytest.mark.parametrize("optimizer", ["sgd", nn.SGD()])
def test_names_and_objects_mean_the_same(loss: Any, optimizer: Any) -> None:
    model, twin = nn.MLP([2, 3, 1]), nn.MLP([2, 3, 1])
    model.compile(loss=loss, optimizer=optimizer, metrics=["mse"])
    twin.compile(loss="mse", optimizer="sgd", metrics=[nn.metrics.mse])
    for net in (model, twin):
        net.fit([[0, 1], [1, 0]], [0, 1], verbose=0)
    assert_same_bits(training_state(model), training_state(twin))
    assert model.history.history == twin.history.history


def test_compile_starts_the_optimizer_afresh_and_keeps_the_weights() -> None:
    model = nn.MLP([2, 3, 1])
    model.compile(loss="mse", optimizer="adam")
    model.fit([[0, 1], [1, 0]], [0, 1], epochs=3, verbose=0)
    weights = model.state_dict()
    model.compile(loss="mse", optimizer="adam")
    state = training_state(model)
    assert_same_bits({name: state[name] for name in weights}, weights)
    assert state["counters"].tolist() == [3, 3, 0]  # dropout and shuffle go on; Adam's bias correction starts again
    assert not any(state[name].any() for name in state if name.startswith("optimizer."))
