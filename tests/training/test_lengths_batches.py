"""Batches of sequences of different lengths, a look inside, and predictions of classes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from sequence_cases import F, as_list
from sequence_fits import K, N, T, compiled, data, states, targets
from support import assert_same_bits


@pytest.fixture(params=[False, True], ids=["sequences", "steps"])
def steps(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


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
