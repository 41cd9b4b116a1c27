"""EarlyStopping refuses what it could not obey: settings, and logs without the number to watch."""

import math
import re
from typing import Any

import pytest

import nnext as nn


@pytest.mark.parametrize(
    ("names", "monitor", "message"),
    [
        (
            ["loss", "accuracy"],
            "val_loss",
            "monitor is 'val_loss' but the logs have loss, accuracy; "
            "give fit validation_data or validation_split, or use monitor='loss'",
        ),
        (["loss", "accuracy"], "val_accuracy", "validation_split, or use monitor='accuracy'"),
        (["loss"], "val_accuracy", "validation_split, or use monitor='loss'"),
        (["loss"], "accuracy", "the logs have loss; use one of these, or compile(metrics=[...]) with accuracy"),
        (
            ["loss", "val_loss"],
            "val_f1",
            "logs have loss, val_loss; use one of these, or compile(metrics=[...]) with f1",
        ),
    ],
)
def test_a_monitor_that_will_not_be_there_is_refused_as_soon_as_that_is_known(
    names: list[str], monitor: str, message: str
) -> None:
    early = nn.EarlyStopping(monitor)
    early.set_params({"epochs": 3, "metrics": tuple(names)})
    with pytest.raises(ValueError, match=re.escape(message)):
        early.on_train_begin()
    early.set_params({"epochs": 3})  # does not tell
    early.on_train_begin()
    with pytest.raises(ValueError, match=re.escape(message)):
        early.on_epoch_end(0, dict.fromkeys(names, 0.5))
    assert early.best_epoch is None


def test_a_monitor_that_another_callback_brings_is_waited_for() -> None:
    early = nn.EarlyStopping("mine", mode="max", restore_best_weights=False)
    early.set_params({"epochs": 3, "metrics": ("loss",)})
    early.on_train_begin()
    early.on_epoch_end(0, {"loss": 1.0, "mine": 2.0})
    assert early.best == 2.0


def test_a_fit_without_validation_says_what_to_do() -> None:
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    model = nn.MLP([1, 2])
    model.compile(loss="cross_entropy", metrics=["accuracy"])
    message = r"\[EarlyStopping\] monitor is 'val_loss' but the logs have loss, accuracy; give fit validation_data or"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, epochs=5, callbacks=[nn.EarlyStopping()], verbose=0)
    model.fit(X, y, epochs=5, validation_split=0.5, callbacks=[nn.EarlyStopping()], verbose=0)


@pytest.mark.parametrize("value", ["low", None, [1.0], 1j])
def test_a_value_that_is_no_number_is_refused(value: Any) -> None:
    early = nn.EarlyStopping("mine", mode="min")
    early.on_train_begin()
    with pytest.raises(TypeError, match=r"\[EarlyStopping\] mine is .* in the logs; monitor a number"):
        early.on_epoch_end(0, {"mine": value})


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"monitor": "val_mine"}, ValueError, "monitor is 'val_mine', but mode='auto' only knows loss, .*; give mode="),
        ({"monitor": None}, TypeError, "monitor is None; give a name of the logs"),
        ({"monitor": nn.metrics.f1}, TypeError, "monitor is <function f1"),
        ({"patience": -1}, ValueError, "patience is -1; give a whole number from 0"),
        ({"patience": 2.5}, TypeError, "patience is 2.5; give a whole number"),
        ({"patience": True}, TypeError, "patience is True; give a whole number"),
        ({"min_delta": -0.1}, ValueError, r"min_delta is -0.1; give a finite number in \[0"),
        ({"min_delta": math.nan}, ValueError, "min_delta is nan; give a finite number"),
        ({"min_delta": "0"}, TypeError, "min_delta is '0'; give a number"),
        ({"mode": "low"}, ValueError, "unknown mode 'low'; use one of auto, min, max"),
        ({"mode": None}, TypeError, "mode is None; give one of auto, min, max"),
        ({"restore_best_weights": 1}, TypeError, "restore_best_weights is 1; give True or False"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"\[EarlyStopping\] {message}"):
        nn.EarlyStopping(**settings)
