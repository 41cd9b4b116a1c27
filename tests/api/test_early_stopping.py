"""EarlyStopping: when it ends a fit, and what it gives back."""

import math
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits

NAN, INF = math.nan, math.inf


class Model:
    """What EarlyStopping needs of a model and its engine; the weights are the number of the last epoch."""

    def __init__(self) -> None:
        self.stop_training, self.history, self.number = False, nn.History(), -1
        self.engine = self

    def weights(self) -> tuple[int]:
        return (self.number,)

    def set_weights(self, number: int) -> None:
        self.number = number


def drive(early: nn.EarlyStopping, values: list[float], model: Model | None = None) -> tuple[Any, Any, int]:
    """Go through epochs with these values; return the epoch of the stop, the best one, and whose weights remain."""
    model = model or Model()
    early.set_params({"epochs": len(values)})
    early.set_model(model)
    early.on_train_begin({})
    for epoch, value in enumerate(values):
        model.number = epoch
        early.on_epoch_begin(epoch, {})
        early.on_epoch_end(epoch, {early.monitor: value})
        if model.stop_training:
            break
    early.on_train_end({})
    return early.stopped_epoch, early.best_epoch, model.number


# ---- when it stops, and what it gives back -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        # Patience: epochs after the best one. 0 is as 1, since the first without improvement is one.
        ([5, 4, 4, 3], {"patience": 0}, (2, 1, 1)),
        ([5, 4, 4, 3], {"patience": 1}, (2, 1, 1)),
        ([5, 4, 4, 3], {"patience": 2}, (None, 3, 3)),
        ([5, 4, 6, 5, 3], {"patience": 2}, (3, 1, 1)),
        ([5, 4, 6, 3, 6, 6, 6], {"patience": 3}, (6, 3, 3)),  # an improvement starts the count again
        ([1, 2, 3, 4], {"patience": 3}, (3, 0, 0)),  # at the last epoch
        # The epochs are used up first, or nothing improved since the first.
        ([5, 4, 6, 5], {"patience": 10}, (None, 1, 1)),
        ([1, 2, 3], {"patience": 10}, (None, 0, 0)),
        ([3, 2, 1], {"patience": 1}, (None, 2, 2)),
        ([7], {"patience": 0}, (None, 0, 0)),
        # Without restoring the weights are the last epoch's.
        ([5, 4, 6, 5, 3], {"patience": 2, "restore_best_weights": False}, (3, 1, 3)),
        ([1, 2, 3], {"patience": 10, "restore_best_weights": False}, (None, 0, 2)),
        # min_delta: by more than this, from the best.
        ([5, 4.5, 4, 3.5], {"patience": 2, "min_delta": 0.5}, (None, 2, 2)),
        ([5, 4.75, 4.5, 3], {"patience": 2, "min_delta": 0.5}, (2, 0, 0)),
        ([5, 4.75, 4.25, 4], {"patience": 2, "min_delta": 0.5}, (None, 2, 2)),
        # High is better.
        ([0.5, 0.6, 0.6, 0.7], {"patience": 1, "monitor": "val_accuracy"}, (2, 1, 1)),
        ([0.5, 0.75, 1.0], {"patience": 1, "monitor": "val_accuracy", "min_delta": 0.25}, (1, 0, 0)),
        ([1, 2, 3, 2, 1], {"patience": 2, "monitor": "mine", "mode": "max"}, (4, 2, 2)),
        ([1, 2, 3, 2, 1], {"patience": 2, "monitor": "mine", "mode": "min"}, (2, 0, 0)),
        ([3, 2, 1], {"patience": 2, "monitor": "loss", "mode": "max"}, (2, 0, 0)),  # who says so gets it
        # NaN is never an improvement, and no best to compare with.
        ([5, NAN, NAN, 4], {"patience": 2}, (2, 0, 0)),
        ([5, NAN, 4, NAN], {"patience": 2}, (None, 2, 2)),
        ([NAN, 5, 6], {"patience": 2}, (None, 1, 1)),
        ([NAN, NAN, NAN, 5], {"patience": 2}, (2, None, 2)),
        ([NAN, 5, 4], {"patience": 0}, (None, 2, 2)),  # the first epoch has none before it
        # Infinity is a number, and bad.
        ([INF, INF, 5, 6], {"patience": 2}, (None, 2, 2)),
        ([-INF, 0.5], {"patience": 1, "monitor": "val_r2"}, (None, 1, 1)),
    ],
)
def test_values_and_settings_tell_the_stop_the_best_and_the_restored_epoch(
    values: list[float], settings: dict[str, Any], expected: tuple[Any, Any, int]
) -> None:
    assert drive(nn.EarlyStopping(**settings), values) == expected


def test_the_best_value_is_kept() -> None:
    early = nn.EarlyStopping(patience=1)
    assert (early.best, early.best_epoch, early.stopped_epoch) == (None, None, None)
    drive(early, [5, np.float32(4), 6])
    assert (early.best, type(early.best)) == (4.0, float)


def test_a_second_fit_starts_afresh() -> None:
    early = nn.EarlyStopping(patience=1)
    assert drive(early, [1, 2]) == (1, 0, 0)
    assert drive(early, [9, 8, 7]) == (None, 2, 2)
    assert drive(early, [NAN]) == (None, None, 0)
    assert early.best is None


def test_the_epochs_of_a_fit_that_goes_on_count_from_its_first_one() -> None:
    early, model = nn.EarlyStopping(patience=2), Model()
    early.set_model(model)
    early.on_train_begin()
    stopped = []
    for epoch, value in enumerate([NAN, NAN, 3.0], 7):
        early.on_epoch_end(epoch, {"val_loss": value})
        stopped.append(model.stop_training)
    assert stopped == [False, False, False]
    assert (early.best_epoch, early.stopped_epoch) == (9, None)


def test_settings_act_on_the_next_epoch() -> None:
    early, model = nn.EarlyStopping(patience=1), Model()
    early.set_model(model)
    early.on_train_begin()
    early.on_epoch_end(0, {"val_loss": 1.0})
    early.patience = 2
    early.on_epoch_end(1, {"val_loss": 1.0})
    assert not model.stop_training
    early.min_delta = 0.5
    early.on_epoch_end(2, {"val_loss": 0.6})
    assert model.stop_training


def test_the_history_says_why() -> None:
    model = Model()
    drive(nn.EarlyStopping(patience=2), [5, 4.125, 6, 5], model)
    assert model.history.stop_reason == "EarlyStopping after epoch 3: val_loss is best in epoch 1: 4.125"
    model = Model()
    drive(nn.EarlyStopping("val_roc_auc", patience=2), [NAN] * 9, model)
    assert model.history.stop_reason == "EarlyStopping after epoch 2: val_roc_auc was never a number"


def test_the_reason_of_another_is_not_replaced() -> None:
    model = Model()
    model.history.stop_reason = "no time left"
    drive(nn.EarlyStopping(patience=1), [1, 2], model)
    assert model.history.stop_reason == "no time left"


def test_it_serves_loops_of_ones_own() -> None:
    model = nn.MLP([2, 2])  # without a history
    early = nn.EarlyStopping("loss", patience=1)
    early.set_model(model)
    early.on_train_begin()
    early.on_epoch_end(0, {"loss": 1.0})
    best = model.state_dict()
    model.load_state_dict({name: array + 1 for name, array in best.items()})
    early.on_epoch_end(1, {"loss": 2.0})
    assert model.stop_training
    early.on_train_end()
    assert_same_bits(model.state_dict(), best)


@pytest.mark.parametrize("name", ["loss", *nn.metrics.names()])
@pytest.mark.parametrize("prefix", ["", "val_"])
def test_auto_knows_every_metric_of_nnext(prefix: str, name: str) -> None:
    _, best_epoch, _ = drive(nn.EarlyStopping(prefix + name), [0, 1])
    assert best_epoch == (0 if name in ("loss", "mse", "rmse", "mae") else 1)


# ---- in a fit -------------------------------------------------------------------------------------------------------


class Script(nn.Callback):
    """Puts values of its own into the logs, and keeps the states of the model."""

    def __init__(self, values: list[float], stop_after: int | None = None) -> None:
        self.values, self.stop_after, self.states = values, stop_after, list[Any]()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["mine"] = self.values[epoch]
        self.states.append(self.model.state_dict())
        self.model.stop_training = epoch == self.stop_after


@pytest.fixture
def model() -> nn.Sequential:
    model = nn.MLP([3, 4, 2], batch_norm=True, seed=4)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01), metrics=["accuracy"])
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    return {"X": rng.normal(size=(20, 3)), "y": rng.integers(2, size=20), "batch_size": 8, "verbose": 0}


@pytest.mark.parametrize(
    ("values", "stop_after", "epochs", "best"),
    [
        pytest.param([3, 1, 2, 2, 2, 2], None, 4, 1, id="it stops"),
        pytest.param([3, 1, 2], None, 3, 1, id="the epochs are used up"),
        pytest.param([1, 2], None, 2, 0, id="nothing improved"),
        pytest.param([3, 2, 1], None, 3, 2, id="the last is the best"),
        pytest.param([1, 2, 3, 4], 1, 2, 0, id="another callback stops"),
    ],
)
def test_a_fit_leaves_the_best_weights_and_buffers(
    model: nn.Sequential, data: dict[str, Any], values: list[float], stop_after: int | None, epochs: int, best: int
) -> None:
    script, early = Script(values, stop_after), nn.EarlyStopping("mine", patience=2, mode="min")
    history = model.fit(**data, epochs=len(values), callbacks=[script, early])
    assert (len(history.epoch), early.best_epoch) == (epochs, best)
    assert "1.running_mean" in script.states[best]
    assert_same_bits(model.state_dict(), script.states[best])
    model.fit(**data)  # goes on from there


def test_an_exception_leaves_the_model_where_it_is(model: nn.Sequential, data: dict[str, Any]) -> None:
    script = Script([1, 2])  # and no third value
    with pytest.raises(IndexError):
        model.fit(**data, epochs=3, callbacks=[nn.EarlyStopping("loss"), script])
    last = model.state_dict()
    assert any((last[name] != array).any() for name, array in script.states[-1].items())
