"""How far a training has come: what a schedule follows through fits, files, copies, interrupts, and what others set."""

import copy
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from copying import WAYS
from internals import position, training_state
from scheduled import FIT, RATE, ROWS, STEPS, rates, replay, scheduled
from small_fits import assert_same_weights, data, own_mse, regressor
from support import assert_same_bits


def own_loss(stop_at: int, act: Any = None) -> Any:
    """Return a loss function that raises, or acts, when it is called for the `stop_at`-th step."""
    calls = iter(range(10_000))

    def loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        if next(calls) == stop_at:
            if act is None:
                raise KeyboardInterrupt
            act()
        return own_mse(y_pred, y)

    return loss


def test_two_fits_are_one(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    once, twice = scheduled(), scheduled()
    once.fit(X, y, epochs=5, **FIT)
    twice.fit(X, y, epochs=2, **FIT)
    assert position(twice) == (2, 0, 0)
    twice.fit(X, y, epochs=3, **FIT)
    assert position(once) == position(twice) == (5, 0, 0)
    assert_same_bits(training_state(once), training_state(twice))


@pytest.mark.parametrize("way", ["file", *WAYS])
def test_files_and_copies_go_on(rng: np.random.Generator, tmp_path: Any, way: str) -> None:
    X, y = data(rng, ROWS)
    once, model = scheduled(), scheduled()
    once.fit(X, y, epochs=5, **FIT)
    model.fit(X, y, epochs=2, **FIT)
    model.save(tmp_path / "m.safetensors")
    again = nn.load(tmp_path / "m.safetensors") if way == "file" else WAYS[way](model)
    assert again.optimizer == model.optimizer == nn.Adam(lr=RATE)
    assert position(again) == (2, 0, 0)
    again.fit(X, y, epochs=3, **FIT)
    assert_same_bits(training_state(again), training_state(once))
    assert position(model) == (2, 0, 0)


@pytest.mark.parametrize("way", ["the same model", "file", "deepcopy"])
def test_an_epoch_after_one_that_was_interrupted_goes_on_from_its_step(
    rng: np.random.Generator, tmp_path: Any, way: str
) -> None:
    """Two of five steps of the second epoch are done: the next one takes 1.4 to 2.4, the one after it 2.4 to 3.4."""
    X, y = data(rng, ROWS)
    model = scheduled(loss=own_loss(STEPS + 2))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=3, **FIT)
    assert position(model) == (1, 2, 5)
    twin = regressor(optimizer=nn.Adam())
    replay(twin, X, y, RATE.values(0, STEPS))
    order = internals.begin_epoch(twin, ROWS, True)
    for step in range(2):
        twin.optimizer.lr = RATE.values(1, STEPS)[step]  # type: ignore[union-attr]
        twin.loss_and_grads(X[order[5 * step : 5 * step + 5]], y[order[5 * step : 5 * step + 5]])
        twin.step()
    assert_same_weights(model, twin)
    if way == "file":
        with pytest.warns(UserWarning, match="own functions"):
            model.save(tmp_path / "m.safetensors")
        model = nn.load(tmp_path / "m.safetensors", loss=own_mse)
    elif way == "deepcopy":
        model = copy.deepcopy(model)
    assert position(model) == (1, 2, 5)
    model.fit(X, y, epochs=2, batch_size=4, verbose=0)  # of six steps each
    assert position(model) == (3.4, 0, 0)
    replay(twin, X, y, np.concatenate([RATE.values(1.4, 6), RATE.values(2.4, 6)]), 4)
    assert_same_weights(model, twin)


def test_epochs_of_other_lengths_are_epochs(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model, twin = scheduled(), regressor(optimizer=nn.Adam())
    for n, batch_size in ((ROWS, 5), (10, 3), (ROWS, 30), (7, 1)):
        steps, epochs = -(-n // batch_size), position(model)[0]
        model.fit(X[:n], y[:n], batch_size=batch_size, verbose=0)
        replay(twin, X[:n], y[:n], RATE.values(epochs, steps), batch_size)
    assert position(model) == (4, 0, 0)
    assert_same_bits(training_state(model), training_state(twin))


def test_no_rounding_adds_up_over_many_steps() -> None:
    """Neither 1/49 nor 1/10 has a finite binary fraction."""
    model = nn.Sequential(nn.Linear(1, 1))
    model.compile("mse", nn.SGD(0.0))
    for n in (49, 10, 49):
        model.fit(np.ones((n, 1)), np.ones(n), epochs=100, batch_size=1, verbose=0)
    assert position(model) == (300, 0, 0)


def test_only_compile_begins_anew(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model = scheduled()
    model.fit(X, y, epochs=2, **FIT)
    model.freeze("0")
    model.unfreeze("0")
    model.load_state_dict(model.state_dict())
    model.evaluate(X, y)
    model.optimizer.lr = nn.Cosine(0.1, epochs=9)  # type: ignore[union-attr]
    assert position(model) == (2, 0, 0)
    model.optimizer.lr = 0.1  # type: ignore[union-attr]
    model.loss_and_grads(X, y)
    model.step()  # is in no epoch
    assert position(model) == (2, 0, 0)
    model.compile("mse", nn.Adam(lr=RATE))
    assert position(model) == (0, 0, 0)


# ---- Rates that others set ------------------------------------------------------------------------------------------


def test_a_loop_of_ones_own_has_no_epochs(rng: np.random.Generator) -> None:
    X, y = data(rng)
    model = scheduled()
    model.loss_and_grads(X, y)
    before = training_state(model)
    with pytest.raises(
        RuntimeError, match=r"\[step\] the optimizer's lr is Cosine\(.*\), .* set model.optimizer.lr = "
    ):
        model.step()
    assert_same_bits(training_state(model), before)
    model.optimizer.lr = RATE.values(0, 3)[1]  # type: ignore[union-attr]
    model.step()
    assert training_state(model)["counters"][0] == 1


def test_a_callback_sets_a_number_or_another_schedule_for_the_epochs_to_come(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model, twin, other = scheduled(), regressor(optimizer=nn.Adam()), nn.Cosine(0.5, epochs=3, final=0.1)
    plan = {0: 0.03, 1: other}

    def change(epoch: int, logs: Any) -> None:
        model.optimizer.lr = plan.get(epoch, other)  # type: ignore[union-attr]

    model.fit(X, y, epochs=3, callbacks=[nn.LambdaCallback(on_epoch_end=change)], **FIT)
    replay(twin, X, y, np.concatenate([RATE.values(0, STEPS), np.full(STEPS, 0.03), other.values(2, STEPS)]))
    assert_same_bits(training_state(model), training_state(twin))


@pytest.mark.parametrize("lr", [0.03, nn.Cosine(0.5, epochs=3, final=0.1)], ids=repr)
def test_what_an_own_loss_sets_holds_from_that_step_on(rng: np.random.Generator, lr: Any) -> None:
    X, y = data(rng, ROWS)
    model, twin = scheduled(), regressor(optimizer=nn.Adam())
    model.compile(own_loss(7, lambda: setattr(model.optimizer, "lr", lr)), nn.Adam(lr=RATE))
    model.fit(X, y, epochs=3, **FIT)
    expected = rates(RATE, 3)
    expected[7:] = lr if isinstance(lr, float) else rates(lr, 3)[7:]
    replay(twin, X, y, expected)
    assert_same_weights(model, twin)
    assert model.optimizer == nn.Adam(lr=lr)


def test_early_stopping_does_not_mind(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model = scheduled()
    early = nn.EarlyStopping("loss", patience=1, min_delta=1e9)
    history = model.fit(X, y, epochs=9, callbacks=early, **FIT)
    assert (early.stopped_epoch, history.epoch, position(model)) == (1, [0, 1], (2, 0, 0))
