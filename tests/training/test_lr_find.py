"""The learning rate range test: what it tries, on what, and what it leaves alone."""

import copy
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import position, threads_that_read, training_state
from small_fits import data, own_mse, regressor
from sparse import csr
from support import assert_same_bits
from tolerance import EXACT, eps

ROWS, BATCH = 22, 5
TEST: dict[str, Any] = {"min_lr": 1e-4, "max_lr": 0.5, "steps": 17, "batch_size": BATCH}


def by_hand(model: nn.Sequential, X: np.ndarray, y: np.ndarray, lrs: np.ndarray, size: int = BATCH) -> list[float]:
    """Train by own loops with a rate for each step, in the order of `fit`; return the losses of the steps."""
    losses: list[float] = []
    while len(losses) < len(lrs):
        order = internals.begin_epoch(model, len(X), True)
        for first in range(0, len(X), size)[: len(lrs) - len(losses)]:
            rows = order[first : first + size]
            internals.begin_epoch(model, len(rows), False)  # lr_find has an epoch for every step
            model.optimizer.lr = lrs[len(losses)]  # type: ignore[union-attr]
            losses.append(model.loss_and_grads(X[rows], y[rows])[0])
            model.step()
    return losses


def assert_same_losses(losses: np.ndarray, expected: list[float]) -> None:
    """Of an epoch the loss is divided by its rows last, of a batch its terms are."""
    np.testing.assert_allclose(losses, expected, rtol=8 * eps("float64"), atol=0)


# ---- What is tried --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("loss", ["mse", own_mse])
def test_the_losses_are_those_of_steps_with_these_rates(rng: np.random.Generator, loss: Any, threads: int) -> None:
    X, y = data(rng, ROWS)
    model, twin = (regressor(loss, optimizer=nn.Adam(lr=7.0), clip_norm=1.0) for _ in range(2))
    with nn.runtime.threads(threads):
        found = nn.lr_find(model, X, y, **TEST)
    assert_same_losses(found.losses, by_hand(twin, X, y, found.lrs))
    ratio = EXACT(TEST["max_lr"]) / EXACT(TEST["min_lr"])
    expected = EXACT(TEST["min_lr"]) * ratio ** (np.arange(17) / EXACT(16))
    assert (np.abs(found.lrs - expected) <= 10 * eps("float64") * TEST["max_lr"]).all()
    assert found.lrs[-1] == TEST["max_lr"]


def test_it_goes_on_from_where_the_model_is(rng: np.random.Generator) -> None:
    """With the sums of the optimizer, frozen layers and masks."""
    X, y = data(rng, ROWS)
    models = []
    for _ in range(2):
        model = nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.3), nn.Linear(5, 2), dtype="float64")
        model.compile("mse", nn.Adam(0.1))
        model.fit(X, y, epochs=2, verbose=0)
        model.freeze("0")
        models.append(model)
    found = nn.lr_find(models[0], X, y, **TEST)
    assert_same_losses(found.losses, by_hand(models[1], X, y, found.lrs))


def test_a_step_takes_as_many_batches_as_in_a_fit(rng: np.random.Generator) -> None:
    X, y = data(rng, 24)
    plain = nn.lr_find(regressor(), X, y, **TEST | {"batch_size": 8})
    accumulated = nn.lr_find(regressor(accumulate=4), X, y, **TEST | {"batch_size": 2})
    assert (plain.losses == accumulated.losses).all()


def test_names_sparse_rows_and_weights_are_taken_as_by_fit(rng: np.random.Generator) -> None:
    X = np.where(rng.random((30, 4)) < 0.5, 0, rng.normal(size=(30, 4)))
    y, weight = rng.integers(2, size=30), np.ones(30)
    model = nn.MLP([4, 6, 2])
    model.compile("cross_entropy", "sgd")
    found = nn.lr_find(model, X, y, **TEST)
    for others in ((X, np.array(["no", "yes"])[y]), (csr(X), y), (X.tolist(), y.tolist())):
        assert (nn.lr_find(model, *others, **TEST).losses == found.losses).all()
    assert model.seen.classes is None
    weight[10:] = 0
    some = nn.lr_find(model, np.where(weight[:, None], X, np.nan), y, sample_weight=weight, **TEST)
    assert (some.losses == nn.lr_find(model, X[:10], y[:10], **TEST).losses).all()
    half = nn.lr_find(model, 2 * X, y, scale=0.5, **TEST)
    assert (half.losses == found.losses).all()


def test_a_scale_that_is_missing_is_warned_of(rng: np.random.Generator) -> None:
    X, y = data(rng)
    model = regressor()
    model.fit(X, y, scale=0.5, verbose=0)
    with pytest.warns(UserWarning, match=r"\[lr_find\] the model was fitted with scale=0.5, but none is given here"):
        nn.lr_find(model, X, y, **TEST)
    nn.lr_find(model, X, y, scale=0.5, **TEST)


# ---- Batches --------------------------------------------------------------------------------------------------------


def test_batches_are_a_step_each_and_begin_again(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    batches = [(X[i : i + 7], y[i : i + 7]) for i in range(0, ROWS, 7)]
    found = nn.lr_find(regressor(), batches, steps=9)
    twin, losses = regressor(), []
    for i, lr in enumerate(found.lrs):
        twin.optimizer.lr = lr  # type: ignore[union-attr]
        losses.append(twin.loss_and_grads(*batches[i % len(batches)])[0])
        twin.step()
    assert_same_losses(found.losses, losses)
    assert (nn.lr_find(regressor(), lambda: iter(batches), steps=9).losses == found.losses).all()
    assert (nn.lr_find(regressor(), iter(batches * 2), steps=9).losses == found.losses[:8]).all()
    assert threads_that_read() == 0


def test_batches_that_cannot_be_taken_are_refused(rng: np.random.Generator) -> None:
    batch = data(rng)
    with pytest.raises(ValueError, match=r"\[lr_find\] there are no batches; give at least one \(X, y\)"):
        nn.lr_find(regressor(), iter(()))
    with pytest.raises(ValueError, match=r"\[lr_find\] accumulate is 2, which cannot be obeyed with batches"):
        nn.lr_find(regressor(accumulate=2), [batch])
    with pytest.raises(TypeError, match=r"\[lr_find\] y is missing; write lr_find\(X, y\), or give batches"):
        nn.lr_find(regressor(), batch[0])
    with pytest.raises(TypeError, match=r"\[lr_find: batch 0\] it is 3; give \(X, y\)"):
        nn.lr_find(regressor(), lambda: iter([3]))


# ---- What stays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.1, nn.Cosine(0.1, epochs=3)])
def test_the_model_stays_as_it_is(rng: np.random.Generator, lr: Any) -> None:
    X, y = data(rng, ROWS)
    model = regressor(optimizer=nn.Adam(lr), metrics=["mae"], ema=0.9)
    history = model.fit(X, y, epochs=2, verbose=0)
    twin = copy.deepcopy(model)
    before, seen, layers = training_state(model), model.seen, model.layers
    outputs = model.forward(X)
    nn.lr_find(model, X, y, max_lr=1e10)
    assert_same_bits(training_state(model), before)
    assert (model.history, model.seen, model.layers, model.optimizer) == (history, seen, layers, nn.Adam(lr))
    assert position(model) == position(twin)
    model.backward(outputs)  # also what forward has left
    for each in (model, twin):
        each.fit(X, y, epochs=2, batch_size=BATCH, verbose=0)
    assert_same_bits(training_state(model), training_state(twin))


# ---- How it ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", own_mse])
def test_divergence_ends_the_test_without_an_error(rng: np.random.Generator, loss: Any) -> None:
    X, y = data(rng)
    settings: dict[str, Any] = {"min_lr": 1e-3, "max_lr": 1e300, "stop_factor": 1e300}
    with np.errstate(all="ignore"):  # of the function
        found = nn.lr_find(regressor(loss, dtype="float32"), X, y, **settings)
        assert 2 < len(found.lrs) < 20
        assert np.isfinite(found.losses).all()
        none = nn.lr_find(regressor(loss, dtype="float32"), X, y, **settings | {"min_lr": 1e299})
    assert (len(none.lrs), len(none.losses), len(none.smoothed), none.suggestion) == (0, 0, 0, None)
    assert repr(none) == "LRFindResult(0 steps; suggestion None)"


def test_a_training_with_the_suggestion_goes_well() -> None:
    X, y = nn.datasets.load_digits()
    model = nn.MLP([64, 32, 10])
    model.compile("cross_entropy", nn.SGD(momentum=0.9), metrics=["accuracy"])
    model.optimizer.lr = nn.OneCycle(nn.lr_find(model, X, y).suggestion, epochs=5)  # type: ignore[union-attr,arg-type]
    assert model.fit(X, y, epochs=5, verbose=0)["accuracy"][-1] > 0.95


# ---- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"min_lr": 0}, ValueError, r"min_lr is 0; give a finite number in \(0, inf\]"),
        ({"min_lr": 1, "max_lr": 1}, ValueError, r"max_lr is 1; give a finite number in \(1, inf\]"),
        ({"max_lr": np.inf}, ValueError, "max_lr is inf; give a finite number"),
        ({"steps": 1}, ValueError, "steps is 1; give a whole number from 2"),
        ({"batch_size": 0}, ValueError, "batch_size is 0; give a whole number from 1"),
        ({"smoothing": 1}, ValueError, r"smoothing is 1; give a finite number in \[0, 1\)"),
        ({"stop_factor": 1}, ValueError, r"stop_factor is 1; give a finite number in \(1, inf\]"),
        ({"num_it": 100}, TypeError, "unknown argument 'num_it'; use steps"),
        ({"X": np.ones((3, 3))}, ValueError, "X has .*; .*"),
        ({"y": [[1.0, 2.0]]}, ValueError, "y has 1 rows but X has 3; give both the same number of samples"),
        ({"X": np.full((3, 4), np.nan)}, ValueError, "X .*"),
    ],
)
def test_what_cannot_be_tried_is_refused(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    given: dict[str, Any] = {"X": np.ones((3, 4)), "y": np.ones((3, 2)), **settings}
    with pytest.raises(error, match=rf"\[lr_find\] {message}"):
        nn.lr_find(regressor(), **given)


def test_what_is_no_compiled_model_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"\[lr_find\] the model is not compiled; call compile"):
        nn.lr_find(nn.MLP([1, 1]), [[1.0]], [1.0])
    with pytest.raises(TypeError, match=r"\[lr_find\] model is \[\[1.0\]\]; give a compiled model first"):
        nn.lr_find([[1.0]], [1.0])  # type: ignore[arg-type]
