"""Sequences of different lengths in lists: how they are batched, weighed and held out."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from sequence_cases import F, as_list
from sequence_fits import N, T, compiled, data, states, targets
from small_fits import assert_same_weights
from support import assert_same_bits


@pytest.fixture(params=[False, True], ids=["sequences", "steps"])
def steps(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_evaluating_a_list_is_evaluating_an_array(steps: bool, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps, n=300)
    model = compiled(steps)
    w, each = rng.integers(0, 3, size=300), rng.uniform(size=(300, T))
    for weight in (None, w, *([each] if steps else [])):
        expected = model.evaluate(X, y, sample_weight=weight, lengths=lengths)
        of_list = weight if weight is None or weight.ndim == 1 else as_list(weight, lengths)
        for labels, given in ((y, weight), (targets(y, lengths), of_list), (targets(y, lengths), weight)):
            if steps and labels is y and lengths.max() != T:
                continue
            found = model.evaluate(as_list(X, lengths), labels, sample_weight=given)
            for name, value in expected.items():
                assert found[name] == pytest.approx(value, rel=1e-12)


def test_a_batch_of_all_is_that_of_an_array(steps: bool, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    for more in ({}, {"sample_weight": rng.uniform(0.5, 2, size=N)}):
        listed, padded = (compiled(steps, dropout=0, optimizer=nn.SGD(lr=0.5)) for _ in range(2))
        listed.fit(as_list(X, lengths), targets(y, lengths), batch_size=N, epochs=5, verbose=0, **more)
        padded.fit(X, y, lengths=lengths, batch_size=N, epochs=5, verbose=0, **more)
        assert_same_weights(listed, padded, 1e-10)


def batches_of(lengths: np.ndarray, rng: np.random.Generator, seed: int, **options: Any) -> list[list[int]]:
    """Return which sequences a fit puts together."""
    seen: list[list[int]] = []

    def loss(p: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        seen.append(y.tolist())
        return 0.0, np.zeros_like(p)

    model = nn.Sequential(nn.GRU(F, 2), seed=seed)
    model.compile(loss)
    sequences = [rng.normal(size=(length, F)) for length in lengths]
    model.fit(sequences, np.arange(len(lengths)), verbose=0, **options)
    return seen


def test_batches_of_a_list_are_a_function_of_seed_and_lengths(rng: np.random.Generator) -> None:
    lengths = rng.integers(1, 50, size=600)
    first = batches_of(lengths, rng, 3, batch_size=8, epochs=2)
    assert batches_of(lengths, rng, 3, batch_size=8, epochs=2) == first
    assert batches_of(lengths, rng, 4, batch_size=8, epochs=2) != first
    for epoch in (first[:75], first[75:]):
        assert sorted(row for batch in epoch for row in batch) == list(range(600))
        assert {len(batch) for batch in epoch} == {8}
    assert first[:75] != first[75:]
    spread = np.mean([np.ptp(lengths[batch]) for batch in first])
    assert spread < 0.2 * 50  # a batch at random has nine tenths of it
    in_order = batches_of(lengths, rng, 3, batch_size=8, shuffle=False)
    assert in_order == batches_of(lengths, rng, 9, batch_size=8, shuffle=False)
    for begin in range(0, 600, 128):  # of 16 batches at a time
        together = [row for batch in in_order[begin // 8 : begin // 8 + 16] for row in batch]
        assert sorted(together) == list(range(begin, min(begin + 128, 600)))


@pytest.mark.parametrize("settings", [{}, {"clip_norm": 0.1}, {"ema": 0.9}])
def test_a_fit_of_a_list_is_reproducible(steps: bool, settings: dict[str, Any], rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    given, labels = as_list(X, lengths), targets(y, lengths)
    found, told = [], []
    for threads, sequences in ((1, given), (2, tuple(given)), (3, [each.astype("float64") for each in given])):
        model = compiled(steps, **settings)
        with nn.runtime.threads(threads):
            history = model.fit(sequences, labels, epochs=3, batch_size=8, verbose=0)
        found.append(internals.training_state(model))
        told.append(history.history)
    for state, history in zip(found[1:], told[1:], strict=True):
        assert_same_bits(state, found[0])
        assert history == told[0]


def test_weights_of_a_list(steps: bool, rng: np.random.Generator) -> None:
    """A sequence of weight 0 is none, whatever is in it."""
    X, y, lengths = data(rng, steps)
    w = rng.integers(0, 3, size=N)
    w[:3] = 1, 0, 2
    given = as_list(np.where((w == 0)[:, None, None], np.nan, X), lengths)
    found = []
    kept = np.flatnonzero(w)
    for rows in (np.arange(N), kept):
        model = compiled(steps)
        labels = targets(np.where((w == 0).reshape(-1, *(1 for _ in y.shape[1:])), -7, y)[rows], lengths[rows])
        model.fit([given[i] for i in rows], labels, sample_weight=w[rows], batch_size=8, epochs=2, verbose=0)
        found.append(internals.training_state(model))
    assert_same_bits(found[0], found[1])


@pytest.mark.parametrize("order", ["shuffled", "last"])
def test_a_part_of_a_list_is_held_out(steps: bool, order: Any, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    sequences, labels = as_list(X, lengths), targets(y, lengths)
    for given, of, more in ((sequences, labels, {}), (X, y, {"lengths": lengths}), (nn.padded(X, lengths), y, {})):
        model, twin = compiled(steps), compiled(steps)
        history = model.fit(
            given, of, validation_split=0.3, validation_order=order, epochs=2, batch_size=8, verbose=0, **more
        )
        held = history.validation_rows
        assert held is not None
        assert len(held) == 12
        rest = np.setdiff1d(np.arange(N), held)
        if given is sequences:
            parts = [([given[i] for i in rows], targets(y[rows], lengths[rows])) for rows in (rest, held)]
        else:
            parts = [(nn.padded(X[rows], lengths[rows]), y[rows]) for rows in (rest, held)]
        told = twin.fit(*parts[0], validation_data=parts[1], epochs=2, batch_size=8, verbose=0)
        assert_same_bits(*states(model, twin))
        assert told.history == history.history
        scores = model.evaluate(X[held], y[held], lengths=lengths[held])
        assert history.history["val_loss"][-1] == pytest.approx(scores["loss"], rel=1e-12)
        assert history.history["val_accuracy"][-1] == pytest.approx(scores["accuracy"], rel=1e-12)


def test_categories_out_of_range_in_rows_that_are_chosen() -> None:
    X, y = np.arange(80).reshape(20, 4) % 5, np.arange(20) % 2
    X[13, 2] = 9
    for lengths in (None, np.full(20, 3)):
        model = nn.Sequential(nn.Embedding(5, 3), nn.GRU(3, 2), dtype="float64")
        model.compile("cross_entropy")
        with pytest.raises(
            ValueError, match=r"\] X has 9 at \(13, 2\) but the network takes whole numbers from 0 to 4; "
        ):
            model.fit(X, y, lengths=lengths, validation_split=0.4, verbose=0)
        with pytest.raises(ValueError, match=r"^\[predict\] X has 9 at \(13, 2\) but the network takes whole numbers"):
            model.predict(X, lengths=lengths)
        with pytest.raises(ValueError, match=r"^\[evaluate\] X has 9 at \(13, 2\) but the network takes whole numbers"):
            model.evaluate(X, y, lengths=lengths)
        model.fit(X, y, lengths=np.full(20, 2), validation_split=0.4, verbose=0)  # it is after an end
        w = np.ones(20)
        w[13] = 0
        model.fit(X, y, lengths=lengths, sample_weight=w, verbose=0)
    for wrong in (-1, 5, 1.5, np.nan, np.inf):
        given = X.astype("float64")
        given[13, 2] = wrong
        with pytest.raises(
            ValueError, match=r"\[predict\] X has .* at \(13, 2\)|NaN or infinite, the first .* at \(13, 2\)"
        ):
            model.predict(given)
