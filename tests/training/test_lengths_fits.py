"""Fits of sequences of different lengths: padded arrays, lists, batches, and what a fit has beside X and y."""

import functools
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from sequence_cases import F, as_list, draw_lengths
from small_fits import assert_same_weights
from support import assert_same_bits

N, T, K = 40, 7, 3


def compiled(steps: bool = False, dtype: str = "float64", dropout: float = 0.1, **settings: Any) -> nn.Sequential:
    recurrent = nn.LSTM(5, 4, return_sequences=steps)
    model = nn.Sequential(
        nn.Linear(F, 5), nn.Tanh(), recurrent, nn.Dropout(dropout), nn.Linear(4, K), seed=5, dtype=dtype
    )
    model.compile(**{"loss": "cross_entropy", "optimizer": "adam", "metrics": ["accuracy"], **settings})
    return model


def data(rng: np.random.Generator, steps: bool = False, n: int = N) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lengths = draw_lengths(rng, n, T)
    lengths[:2], lengths[-4:] = (1, T), T
    return rng.normal(size=(n, T, F)), rng.integers(K, size=(n, T) if steps else n), lengths


def targets(y: np.ndarray, lengths: np.ndarray) -> Any:
    return y if y.ndim == 1 else as_list(y, lengths)


def states(*models: nn.Sequential) -> list[dict[str, np.ndarray]]:
    return [internals.training_state(model) for model in models]


@pytest.fixture(params=[False, True], ids=["sequences", "steps"])
def steps(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


# ---- Padded arrays --------------------------------------------------------------------------------------------------


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


# ---- Lists ----------------------------------------------------------------------------------------------------------


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
        assert sorted(functools.reduce(operator.iadd, epoch, [])) == list(range(600))
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


# ---- Batches --------------------------------------------------------------------------------------------------------


def test_batches_in_each_form_have_the_same_bits(steps: bool, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    parts = [np.arange(N)[i::4] for i in range(4)]

    def padded() -> Iterator[Any]:
        for rows in parts:
            yield nn.padded(X[rows], lengths[rows]), y[rows]

    def lists() -> Iterator[Any]:
        for rows in parts:
            yield as_list(X[rows], lengths[rows]), targets(y[rows], lengths[rows])

    found = []
    for batches in (padded, lists, list(padded()), list(lists())):
        model = compiled(steps)
        history = model.fit(batches, validation_data=batches, epochs=2, verbose=0).history
        assert history["val_loss"][-1] == pytest.approx(model.evaluate(X, y, lengths=lengths)["loss"], rel=1e-12)
        assert model.evaluate(batches)["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-12)
        found.append(internals.training_state(model))
    steps_alone: list[Any] = [
        lambda model, rows: model.train_on_batch(X[rows], y[rows], lengths=lengths[rows], steps_per_epoch=4),
        lambda model, rows: model.train_on_batch(nn.padded(X[rows], lengths[rows]), y[rows], steps_per_epoch=4),
        lambda model, rows: model.train_on_batch(
            as_list(X[rows], lengths[rows]), targets(y[rows], lengths[rows]), steps_per_epoch=4
        ),
    ]
    for step in steps_alone:
        model = compiled(steps)
        for rows in [*parts, *parts]:
            step(model, rows)
        found.append(internals.training_state(model))
    for state in found[1:]:
        assert_same_bits(state, found[0])


def test_a_batch_whose_sequences_are_all_as_long(rng: np.random.Generator) -> None:
    """It is no other than one whose sequences are not."""
    X, y, _ = data(rng)
    model, twin = compiled(), compiled()
    model.fit([(nn.padded(list(X[:8])), y[:8]), (nn.padded(X[8:9, :3], [3]), y[8:9])], verbose=0)
    twin.fit([(X[:8], y[:8]), (X[8:9, :3], y[8:9])], verbose=0)
    assert_same_bits(*states(model, twin))


def test_a_batch_may_be_written_into_the_arrays_of_the_last(steps: bool, rng: np.random.Generator) -> None:
    """A thread reads one ahead."""
    X, y, lengths = data(rng, steps)
    parts = [np.arange(N)[i::4] for i in range(4)]
    values, label = np.empty_like(X[:10]), np.empty_like(y[:10])

    def padded() -> Iterator[Any]:
        for rows in parts:
            values[:], label[:] = X[rows], y[rows]
            yield nn.padded(values, lengths[rows]), label

    def lists() -> Iterator[Any]:
        for rows in parts:
            values[:], label[:] = X[rows], y[rows]
            yield as_list(values, lengths[rows]), targets(label, lengths[rows])

    expected = compiled(steps)
    expected.fit([(nn.padded(X[rows], lengths[rows]), y[rows]) for rows in parts], verbose=0)
    for batches in (padded, lists):
        model = compiled(steps)
        model.fit(batches, verbose=0)
        assert_same_bits(*states(model, expected))


def test_classes_of_steps_may_have_names(rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps=True)
    y[0, 0] = 0
    y[1, :3] = 0, 1, 2  # all of them before an end
    names = np.array(["noun", "of", "verb"])
    said = []
    for given, of, labels in (
        (X, {"lengths": lengths}, names[y]),
        (X, {"lengths": lengths}, np.where(np.arange(T) < lengths[:, None], names[y], "?")),
        (as_list(X, lengths), {}, as_list(names[y], lengths)),
        (as_list(X, lengths), {}, [each.tolist() for each in as_list(names[y], lengths)]),
    ):
        model = compiled(steps=True, optimizer="sgd")
        model.fit(given, labels, batch_size=N, verbose=0, shuffle=False, class_weight={"of": 2.0}, **of)
        classes = model.predict_classes(as_list(X, lengths))
        assert {label for each in classes for label in each.tolist()} <= set(names.tolist())
        said.append(model.evaluate(given, labels, **of)["accuracy"])
    assert said == pytest.approx([said[0]] * len(said), rel=1e-12)


@pytest.mark.parametrize("optimizer", [nn.LBFGS(), nn.SGD(lr=nn.Cosine(0.1, epochs=2)), nn.Adam(weight_decay=0.1)])
def test_each_kind_of_optimizer_takes_lists_and_lengths(steps: bool, optimizer: Any, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    for given, labels, more in ((X, y, {"lengths": lengths}), (as_list(X, lengths), targets(y, lengths), {})):
        model = compiled(steps, dropout=0, optimizer=optimizer)
        before = model.evaluate(X, y, lengths=lengths)["loss"]
        history = model.fit(given, labels, epochs=2, verbose=0, max_time=100, **more).history
        assert len(history["loss"]) == 2
        assert model.evaluate(X, y, lengths=lengths)["loss"] < before


def test_on_batch_says_what_evaluate_says(steps: bool, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    model, expected = compiled(steps), None
    for given, labels, more in (
        (X, y, {"lengths": lengths}),
        (nn.padded(X, lengths), y, {}),
        (as_list(X, lengths), targets(y, lengths), {}),
    ):
        scores = dict(model.test_on_batch(given, labels, **more).items())
        expected = expected or dict(model.evaluate(X, y, lengths=lengths).items())
        assert scores == expected
        assert model.loss_and_grads(given, labels, **more)[0] == model.loss_and_grads(X, y, lengths=lengths)[0]
        assert_same_bits(model.forward(given, **more), model.forward(X, lengths=lengths))


# ---- A look inside --------------------------------------------------------------------------------------------------


def test_activations_and_gradients_in_x_are_those_of_each_alone(steps: bool, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps, n=6)
    model = compiled(steps)
    for given in (nn.padded(X, lengths), as_list(X, lengths)):
        found = model.activations(given)
        gradient, derivatives = model.input_gradient(given, targets(y, lengths)), model.jacobian(given)
        for i, length in enumerate(lengths):
            alone, label = X[i : i + 1, :length], y[i : i + 1, :length] if steps else y[i : i + 1]
            for path, values in model.activations(alone).items():
                ours = found[path][i]
                assert_same_bits(ours[:length] if values.ndim == 3 else ours, values[0])
            assert not gradient[i, length:].any()
            np.testing.assert_allclose(gradient[i, :length], model.input_gradient(alone, label)[0], rtol=0, atol=1e-13)
            expected = model.jacobian(alone)[0]
            ours = derivatives[i][:length, :, :length] if steps else derivatives[i][:, :length]
            np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-13)


def test_a_learning_rate_is_found_and_gradients_are_checked(steps: bool, rng: np.random.Generator) -> None:
    X, y, lengths = data(rng, steps)
    padded, listed = (nn.padded(X, lengths), y), (as_list(X, lengths), targets(y, lengths))
    for given in (padded, listed):
        model = nn.Sequential(nn.GRU(F, K, return_sequences=steps), seed=1, dtype="float64")
        model.compile("cross_entropy")
        assert nn.gradcheck(model, *given).max_relative_error < 1e-5
        assert len(nn.lr_find(model, *given, steps=20).losses) > 5


def test_predictions_beside_predict(steps: bool, rng: np.random.Generator) -> None:
    X, _y, lengths = data(rng, steps)
    model = compiled(steps)
    for ask in (model.predict_proba, model.predict_classes):
        expected = ask(X, lengths=lengths)
        assert_same_bits(ask(nn.padded(X, lengths)), expected)
        found = ask(as_list(X, lengths))
        for i, length in enumerate(lengths):
            assert_same_bits(found[i], expected[i][:length] if steps else expected[i])
    objects = np.empty(N, object)
    objects[:] = as_list(X, lengths)
    found, expected = model.predict(objects), model.predict(as_list(X, lengths))
    for ours, theirs in zip(found, expected, strict=True):
        assert_same_bits(ours, theirs)
