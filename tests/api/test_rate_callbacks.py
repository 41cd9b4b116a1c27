"""LearningRateScheduler and ReduceLROnPlateau: what they set the learning rate to, and when."""

import math
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits

NAN = math.nan
X, Y = np.linspace(-1, 1, 12).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])
HALF = 0.5


@pytest.fixture
def model() -> nn.Sequential:
    model = nn.MLP([2, 4, 2], seed=3)
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=1.0))
    return model


def rate(model: nn.Sequential) -> Any:
    return model.optimizer.lr  # type: ignore[union-attr]


# ---- LearningRateScheduler ------------------------------------------------------------------------------------------


def test_every_epoch_has_the_rate_of_the_function(model: nn.Sequential) -> None:
    twin = nn.MLP([2, 4, 2], seed=3)
    twin.compile(loss="cross_entropy", optimizer=nn.SGD(lr=1.0))
    asked: list[tuple[int, float]] = []

    def schedule(epoch: int, lr: float) -> float:
        asked.append((epoch, lr))
        return lr * HALF if epoch else np.float32(0.25)

    model.fit(X, Y, epochs=3, batch_size=2, callbacks=nn.LearningRateScheduler(schedule), verbose=0)
    assert (asked, rate(model)) == ([(0, 1.0), (1, 0.25), (2, 0.125)], 0.0625)
    for lr in (0.25, 0.125, 0.0625):
        twin.optimizer.lr = lr  # type: ignore[union-attr]
        twin.fit(X, Y, batch_size=2, verbose=0)
    assert_same_bits(training_state(model), training_state(twin))


def test_epochs_count_from_0_in_each_fit_and_another_function_may_be_set(model: nn.Sequential) -> None:
    scheduler = nn.LearningRateScheduler(lambda epoch, lr: 1 / (1 + epoch))
    for _ in range(2):
        model.fit(X, Y, epochs=4, callbacks=scheduler, verbose=0)
        assert rate(model) == 0.25
    scheduler.schedule = lambda epoch, lr: 0
    model.fit(X, Y, callbacks=scheduler, verbose=0)
    assert rate(model) == 0.0


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (None, TypeError, r"what schedule\(0, 1\) returned is None; give a number"),
        ("fast", TypeError, r"what schedule\(0, 1\) returned is 'fast'; give a number"),
        (nn.Cosine(1, 2), TypeError, r"what schedule\(0, 1\) returned is Cosine\(1.0, 2.0\); give a number"),
        (-1, ValueError, r"what schedule\(0, 1\) returned is -1; give a finite number in \[0, inf\]"),
        (NAN, ValueError, r"what schedule\(0, 1\) returned is nan; give a finite number"),
    ],
)
def test_what_is_no_rate_is_refused_and_nothing_changes(
    model: nn.Sequential, returned: Any, error: type[Exception], message: str
) -> None:
    before = training_state(model)
    with pytest.raises(error, match=rf"^\[LearningRateScheduler\] {message}"):
        model.fit(X, Y, callbacks=nn.LearningRateScheduler(lambda epoch, lr: returned), verbose=0)
    assert_same_bits(training_state(model), before)
    assert (rate(model), model.history) == (1.0, None)


@pytest.mark.parametrize("wrong", [0.1, nn.Cosine(0.1, 2), nn.Cosine, None])
def test_what_is_no_function_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"\[LearningRateScheduler\] schedule is .*; give a function of epoch and lr"):
        nn.LearningRateScheduler(wrong)


@pytest.mark.parametrize("make", [lambda: nn.LearningRateScheduler(lambda epoch, lr: lr), nn.ReduceLROnPlateau])
def test_a_schedule_has_no_rate_to_change(model: nn.Sequential, make: Any) -> None:
    schedule = nn.Cosine(0.1, epochs=3)
    model.optimizer.lr = schedule  # type: ignore[union-attr]
    before = training_state(model)
    with pytest.raises(
        ValueError, match=r"\] the optimizer's lr is Cosine\(0.1, 3.0\), which gives every step its own"
    ):
        model.fit(X, Y, validation_data=(X, Y), callbacks=make(), verbose=0)
    assert_same_bits(training_state(model), before)
    assert rate(model) == schedule


# ---- ReduceLROnPlateau ----------------------------------------------------------------------------------------------


class Script(nn.Callback):
    """Puts values of its own into the logs."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["mine"] = self.values[epoch]


def drive(model: nn.Sequential, plateau: nn.ReduceLROnPlateau, values: list[float]) -> list[int]:
    """Fit with these values in the logs; return the epochs after which the rate was reduced."""
    model.fit(X, Y, epochs=len(values), callbacks=[Script(values), plateau], verbose=0)
    return [epoch for epoch, _ in plateau.reductions]


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        ([5, 4, 3, 2], {"patience": 1}, []),
        ([5, 4, 4, 4, 4], {"patience": 2}, [3]),
        ([5, 4, 4, 4, 4, 4], {"patience": 2}, [3, 5]),  # counted anew
        ([5, 5, 5, 5], {"patience": 1}, [1, 2, 3]),
        ([5, 5, 5, 5], {"patience": 0}, [1, 2, 3]),  # as 1
        ([5, 6, 4, 6, 6], {"patience": 2}, [4]),  # an improvement starts the count again
        ([5, 4.99995, 4.99992, 4.9], {"patience": 1}, [1, 2]),  # min_delta is 1e-4: from the best, which is 5
        ([5, 4.75, 4.5, 4], {"patience": 2, "min_delta": 0.5}, [2]),
        ([1, 2, 3, 3, 2], {"patience": 2, "mode": "max"}, [4]),
        # A cooldown leaves its epochs out, and what improves within it is the best.
        ([5, 5, 5, 5, 5, 5, 5], {"patience": 1, "cooldown": 2}, [1, 4]),
        ([5, 5, 5, 5, 5, 5, 5], {"patience": 2, "cooldown": 1}, [2, 5]),
        ([5, 5, 3, 4, 4], {"patience": 1, "cooldown": 1}, [1, 3]),
        # NaN is no improvement.
        ([NAN, NAN, 5, NAN, 4], {"patience": 2}, [1]),
    ],
)
def test_values_and_settings_tell_when_the_rate_is_reduced(
    model: nn.Sequential, values: list[float], settings: dict[str, Any], expected: list[int]
) -> None:
    plateau = nn.ReduceLROnPlateau("mine", HALF, **{"mode": "min", **settings})
    assert drive(model, plateau, values) == expected
    assert rate(model) == HALF ** len(expected)
    assert [lr for _, lr in plateau.reductions] == [HALF ** (i + 1) for i in range(len(expected))]


def test_the_rate_stops_at_the_least_one(model: nn.Sequential) -> None:
    plateau = nn.ReduceLROnPlateau("mine", 0.25, 1, mode="min", min_lr=0.125)
    assert drive(model, plateau, [1] * 5) == [1, 2]
    assert (plateau.reductions, rate(model)) == (((1, 0.25), (2, 0.125)), 0.125)
    assert (plateau.best, plateau.best_epoch) == (1.0, 0)
    model.optimizer.lr = 0.0625  # type: ignore[union-attr]
    assert drive(model, plateau, [1] * 3) == []  # of this fit
    assert rate(model) == 0.0625  # it is never raised


def test_what_is_set_acts_from_the_next_epoch_on(model: nn.Sequential) -> None:
    plateau = nn.ReduceLROnPlateau("mine", 0.25, 100, mode="min")
    with pytest.raises(
        AttributeError, match=r"factr cannot be set; set patience, min_delta, factor, cooldown, min_lr, or"
    ):
        plateau.factr = 0.5  # type: ignore[attr-defined]
    plateau.factor, plateau.patience = 0.5, 2
    assert drive(model, plateau, [1] * 3) == [2]
    assert rate(model) == 0.5


def test_it_watches_the_validation_and_goes_with_the_schedule_of_a_function(model: nn.Sequential) -> None:
    """Its reduction is what the function is asked about next."""
    asked: list[float] = []

    def schedule(epoch: int, lr: float) -> float:
        asked.append(lr)
        return lr

    callbacks = [nn.LearningRateScheduler(schedule), nn.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=1e9)]
    model.fit(X, Y, validation_data=(X, Y), epochs=4, callbacks=callbacks, verbose=0)
    assert asked == [1.0, 1.0, 0.5, 0.25]
    with pytest.raises(
        ValueError, match=r"\[ReduceLROnPlateau\] monitor is 'val_loss' but the logs have loss; give fit"
    ):
        model.fit(X, Y, callbacks=nn.ReduceLROnPlateau(), verbose=0)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"monitor": None}, TypeError, "monitor is None; give a name of the logs"),
        ({"monitor": "mine"}, ValueError, "monitor is 'mine', but mode='auto' only knows loss"),
        ({"factor": 1}, ValueError, r"factor is 1; give a finite number in \(0, 1\)"),
        ({"factor": 0}, ValueError, r"factor is 0; give a finite number in \(0, 1\)"),
        ({"patience": -1}, ValueError, "patience is -1; give a whole number from 0"),
        ({"min_delta": -1}, ValueError, "min_delta is -1; give a finite number"),
        ({"mode": "low"}, ValueError, "unknown mode 'low'; use one of auto, min, max"),
        ({"cooldown": 0.5}, TypeError, "cooldown is 0.5; give a whole number"),
        ({"min_lr": -1e-3}, ValueError, r"min_lr is -0.001; give a finite number in \[0, inf\]"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"\[ReduceLROnPlateau\] {message}"):
        nn.ReduceLROnPlateau(**settings)
