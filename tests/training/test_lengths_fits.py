"""Fits of sequences of different lengths in padded arrays, and what a fit has beside X and y."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from sequence_cases import F, as_list, draw_lengths
from sequence_fits import K, N, T, compiled, data, states, targets
from support import assert_same_bits


@pytest.fixture(params=[False, True], ids=["sequences", "steps"])
def steps(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("settings", [{}, {"clip_norm": 0.1}, {"ema": 0.5}, {"accumulate": 2}, {"optimizer": "sgd"}])
def test_nothing_after_an_end_and_no_thread_changes_a_bit(
    steps: bool, settings: dict[str, Any], isa: str, dtype: str, rng: np.random.Generator
) -> None:
    X, y, lengths = data(rng, steps)
    after, trained, told = np.arange(T) >= lengths[:, None], [], []
    for fill, more, threads in ((0.0, 0, 1), (np.nan, 0, 2), (np.inf, 3, 3), (1e30, 1, 8)):
        given = np.where(after[..., None], fill, X)
        given = np.concatenate([given, np.full((N, more, F), fill)], axis=1)
        labels = np.concatenate([y, np.full((N, more), -100)], axis=1) if steps else y
        model = compiled(steps, dtype, dropout=0 if steps else 0.1, **settings)  # whose mask is by the number in a row
        with nn.runtime.threads(threads):
            history = model.fit(given, labels, lengths=lengths, epochs=3, batch_size=8, verbose=0).history
        trained.append(internals.training_state(model))
        told.append(history)
    for state, history in zip(trained[1:], told[1:], strict=True):
        assert_same_bits(state, trained[0])
        assert history == told[0]


@pytest.mark.parametrize("loss", ["cross_entropy", "own"])
def test_ways_to_say_the_same(steps: bool, loss: str, rng: np.random.Generator, tmp_path: Any) -> None:
    """`lengths` beside an array, `padded`, an array in a file, bytes with a scale, and lists of numbers."""
    X, y, lengths = data(rng, steps)
    X = np.round(np.abs(X) * 40).clip(0, 255).astype("uint8")
    stored = np.memmap(tmp_path / "x", "uint8", "w+", shape=X.shape)
    stored[:] = X
    settings = {} if loss == "cross_entropy" else {"loss": own_loss, "metrics": []}
    found = []
    for given, more in (
        (X, {"lengths": lengths}),
        (nn.padded(X, lengths), {}),
        (stored, {"lengths": lengths.astype("float32")}),
        (nn.padded(stored, lengths.tolist()), {}),
        (X.astype("float64"), {"lengths": lengths}),
        (np.asfortranarray(X), {"lengths": lengths}),
        (X.tolist(), {"lengths": lengths}),
    ):
        model = compiled(steps, **settings)
        model.fit(given, y, scale=1 / 255, epochs=2, batch_size=8, verbose=0, **more)
        found.append(internals.training_state(model))
    for state in found[1:]:
        assert_same_bits(state, found[0])


def own_loss(p: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum of squares and its gradient."""
    target = np.eye(K)[y]
    return float(((p - target) ** 2).sum()), 2 * (p - target)


def test_a_loss_of_ones_own_gets_outputs_that_are_0_after_an_end(rng: np.random.Generator) -> None:
    """And the targets as they were given; the gradient that it returns there goes nowhere."""
    X, y, lengths = data(rng, steps=True)
    after, trained = np.arange(T) >= lengths[:, None], []
    y = np.where(after, -100, y)
    for there in (0.0, 1e30, -1.0):

        def loss(p: np.ndarray, t: np.ndarray, there: float = there) -> tuple[float, np.ndarray]:
            marked = t == -100
            assert not p[marked].any()
            gradient = np.where(marked[..., None], there, p - np.eye(K)[np.where(marked, 0, t)])
            return 0.5 * float((gradient[~marked] ** 2).sum()), gradient

        model = compiled(steps=True, loss=loss, metrics=[])
        model.fit(X, y, lengths=lengths, epochs=2, batch_size=8, verbose=0)
        trained.append(internals.training_state(model))
    assert_same_bits(trained[1], trained[0])
    assert_same_bits(trained[2], trained[0])


def test_accumulated_batches_are_one_large(steps: bool, isa: str, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    w = rng.uniform(0.5, 2, size=N)
    large, small = compiled(steps), compiled(steps, accumulate=4)
    for model, size in ((large, 20), (small, 5)):
        history = model.fit(X, y, lengths=lengths, sample_weight=w, batch_size=size, epochs=3, verbose=0)
        assert len(history.history["loss"]) == 3
    assert_same_bits(*states(small, large))


def test_a_fit_goes_on_from_a_file(steps: bool, tmp_path: Any, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    for given, labels, more in ((X, y, {"lengths": lengths}), (as_list(X, lengths), targets(y, lengths), {})):
        whole, half, rest = (compiled(steps) for _ in range(3))
        whole.fit(given, labels, epochs=4, batch_size=8, verbose=0, **more)
        half.fit(given, labels, epochs=2, batch_size=8, verbose=0, **more)
        half.save(tmp_path / "half")
        rest.fit(given, labels, epochs=4, batch_size=8, verbose=0, resume_from=tmp_path / "half", **more)
        assert_same_bits(*states(rest, whole))


def test_metrics_are_those_of_the_steps_that_count(rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps=True)
    count = np.arange(T) < lengths[:, None]
    model = compiled(steps=True, metrics=["accuracy", "f1"])
    said = model.predict_classes(X, lengths=lengths)
    right = (said == y)[count]
    assert model.evaluate(X, y, lengths=lengths)["accuracy"] == pytest.approx(right.mean(), rel=1e-12)
    w, each = rng.uniform(size=N), rng.uniform(size=(N, T))
    for weight, of_steps in ((w, np.repeat(w[:, None], T, axis=1)[count]), (each, each[count])):
        scores = model.evaluate(X, y, sample_weight=weight, lengths=lengths)
        assert scores["accuracy"] == pytest.approx(np.average(right, weights=of_steps), rel=1e-12)
        expected = nn.metrics.f1(y[count], said[count], sample_weight=of_steps)
        assert scores["f1"] == pytest.approx(expected, rel=1e-12)
    history = model.fit(X, y, lengths=lengths, batch_size=N, verbose=0, validation_data=(nn.padded(X, lengths), y))
    after = model.evaluate(X, y, lengths=lengths)
    for name, value in after.items():
        assert history.history[f"val_{name}"] == [value]


def test_metrics_of_signals(rng: np.random.Generator) -> None:
    """Whose steps are the last axis."""
    X, lengths = rng.normal(size=(N, F, T)), draw_lengths(rng, N, T)
    y, count = rng.normal(size=(N, 3, T)), np.arange(T) < lengths[:, None]
    model = nn.Sequential(nn.Conv1d(F, 3, 3, padding=1), seed=1, dtype="float64")
    model.compile("mse", metrics=["mae"])
    error = np.abs(model.predict(X, lengths=lengths) - y).transpose(0, 2, 1)[count]
    assert model.evaluate(X, y, lengths=lengths)["mae"] == pytest.approx(error.mean(), rel=1e-12)
    w = rng.uniform(size=(N, T))
    assert model.evaluate(X, y, sample_weight=w, lengths=lengths)["mae"] == pytest.approx(
        np.average(error.mean(axis=1), weights=w[count]), rel=1e-12
    )
