"""train_on_batch and test_on_batch: the steps of a fit of batches, one by one."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from batches import cut, draw, network, squares
from internals import position, training_state
from support import assert_same_bits, unchanged

SCHEDULE = nn.Cosine(0.05, epochs=3, warmup=0.7)


def state(model: nn.Sequential) -> dict[str, Any]:
    """Return what decides how it goes on, but for the number of epochs, which the order of samples goes by."""
    found = training_state(model)
    found["counters"] = found["counters"][[0, 2]]
    return found


@pytest.mark.parametrize(
    "compiled",
    [
        pytest.param({}, id="a number as lr"),
        pytest.param({"optimizer": nn.Adam(lr=SCHEDULE)}, id="a schedule"),
        pytest.param({"loss": squares}, id="own loss"),
        pytest.param({"loss": squares, "optimizer": nn.Adam(lr=SCHEDULE)}, id="own loss, a schedule"),
        pytest.param({"clip_norm": 0.1, "ema": 0.9}, id="clipping and averages"),
    ],
)
def test_the_steps_are_those_of_a_fit(rng: np.random.Generator, compiled: dict[str, Any]) -> None:
    X, y = draw(rng)
    given = cut(X, y)
    model, twin = network(**compiled), network(**compiled)
    history = twin.fit(given, epochs=3, verbose=0)
    for epoch in range(3):
        logs = [model.train_on_batch(*batch, steps_per_epoch=len(given)) for batch in given]
        rows = np.array([len(batch[1]) for batch in given])
        for name in ("loss", "accuracy"):  # those of an epoch are means over its samples
            mean = float(np.dot([entry[name] for entry in logs], rows)) / rows.sum()
            assert abs(mean - history[name][epoch]) < 1e-12
    assert position(model) == position(twin) == (3, 0, 0)
    assert_same_bits(training_state(model), training_state(twin))


def test_weights_classes_and_scale_are_those_of_a_fit(rng: np.random.Generator) -> None:
    X, y = draw(rng)
    weights = rng.uniform(size=len(y))
    model, twin = network(), network()
    twin.fit([(X, y, weights)], class_weight={1: 3.0}, scale=0.5, verbose=0)
    model.train_on_batch(X, y, weights, class_weight={1: 3.0}, scale=0.5)
    assert_same_bits(state(model), state(twin))
    with pytest.warns(UserWarning, match=r"\[test_on_batch\] the model was fitted with scale=0.5"):
        model.test_on_batch(X, y)


def test_a_step_without_epochs_is_in_none(rng: np.random.Generator) -> None:
    X, y = draw(rng)
    model, twin = network(), network()
    model.train_on_batch(X, y)
    assert position(model) == (0, 0, 0)
    twin.fit([(X, y)], verbose=0)
    assert_same_bits(state(model), state(twin))
    model.fit(X, y, verbose=0)
    assert position(model) == (1, 0, 0)


def test_epochs_of_another_length_begin_at_once(rng: np.random.Generator) -> None:
    """Two of five steps are done: what follows goes on from 0.4 epochs."""
    X, y = draw(rng)
    model = network(optimizer=nn.SGD(lr=SCHEDULE))
    twin = network(optimizer=nn.SGD(lr=0.0))
    rates = [*SCHEDULE.values(0, 5)[:2], *SCHEDULE.values(0.4, 4), SCHEDULE.values(1.4, 4)[0]]
    for rate, steps in zip(rates, [5, 5, 4, 4, 4, 4, 4], strict=True):
        model.train_on_batch(X, y, steps_per_epoch=steps)
        twin.optimizer.lr = rate  # type: ignore[union-attr]
        twin.train_on_batch(X, y)
    assert position(model) == (1.4, 1, 4)
    assert_same_bits(state(model), state(twin))


def test_names_of_classes_must_be_known(rng: np.random.Generator) -> None:
    X, y = draw(rng)
    named = np.array(["ant", "bee", "cow"])[y]
    model = network()
    with unchanged(model), pytest.raises(ValueError, match=r"\[train_on_batch\] y has names, such as .* fit arrays"):
        model.train_on_batch(X, named)
    model.fit(X, named, verbose=0)
    assert model.train_on_batch(X, named)["loss"] > 0
    assert model.test_on_batch(X, named) == model.evaluate(X, named)


def test_a_metric_that_a_batch_cannot_have_is_nan(rng: np.random.Generator) -> None:
    model = nn.MLP([2, 1])
    model.compile("bce_with_logits", metrics=["roc_auc"])
    with pytest.warns(RuntimeWarning, match=r"\[train_on_batch\] metric 'roc_auc' is NaN where it cannot be computed"):
        logs = model.train_on_batch(np.ones((3, 2)), [1, 1, 1])
    assert np.isnan(logs["roc_auc"])


@pytest.mark.parametrize(
    ("compiled", "arguments", "error", "message"),
    [
        ({"optimizer": nn.Adam(lr=SCHEDULE)}, {}, ValueError, r"lr is Cosine\(.*\), whose lengths .*; give steps_per"),
        ({"accumulate": 2}, {}, ValueError, "accumulate is 2, which cannot be obeyed with batches; each of them is a"),
        ({}, {"class_weight": "balanced"}, ValueError, "class_weight is 'balanced', which cannot be obeyed with batch"),
        ({}, {"steps_per_epoch": 0}, ValueError, "steps_per_epoch is 0; give a whole number from 1"),
        ({}, {"steps_per_epoch": 1.5}, TypeError, "steps_per_epoch is 1.5; give a whole number"),
        ({}, {"sample_weight": np.ones(3)}, ValueError, "sample_weight has"),
        ({}, {"y": np.full(70, 9)}, ValueError, "y has"),
        ({}, {"X": np.ones((70, 2))}, ValueError, "X has 2 features but the network expects 9"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_and_changes_nothing(
    rng: np.random.Generator, compiled: Any, arguments: Any, error: type[Exception], message: str
) -> None:
    X, y = draw(rng)
    model = network(**compiled)
    with unchanged(model), pytest.raises(error, match=rf"\[train_on_batch\] {message}"):
        model.train_on_batch(**{"X": X, "y": y, **arguments})


def test_it_needs_a_compiled_model_and_no_fit_beside_it(rng: np.random.Generator) -> None:
    X, y = draw(rng)
    for name in ("train_on_batch", "test_on_batch"):
        with pytest.raises(RuntimeError, match=rf"\[{name}\] the model is not compiled"):
            getattr(nn.MLP([9, 3]), name)(X, y)
    model = network()

    def step(epoch: int, logs: Any) -> None:
        with pytest.raises(RuntimeError, match="this model is being trained already"):
            model.train_on_batch(X, y)

    model.fit(X, y, callbacks=nn.LambdaCallback(on_epoch_end=step), verbose=0)


@pytest.mark.parametrize("bad", ["loss", "weights"])
def test_divergence_leaves_what_was_before_the_call(rng: np.random.Generator, bad: str) -> None:
    X, y = rng.normal(size=(8, 2)).astype("float32"), rng.normal(size=8).astype("float32")
    model = nn.MLP([2, 1])
    model.compile("mse", nn.SGD(lr=1e38, momentum=0.9))
    before = training_state(model)
    given = np.full_like(X, 3e38) if bad == "loss" else 100 * X
    with pytest.raises(nn.DivergenceError, match=r"\[train_on_batch\] .* back where it was before this call") as caught:
        model.train_on_batch(given, y)
    assert (caught.value.epoch, caught.value.lr) == (0, 1e38)
    assert_same_bits(training_state(model), before)
    model.optimizer.lr = 0.1  # type: ignore[union-attr]
    model.train_on_batch(X, y)
    assert internals.counters(model)[0] == 1


def test_history_and_callbacks_are_those_of_fits(rng: np.random.Generator) -> None:
    X, y = draw(rng)
    model = network()
    history = model.fit(X, y, verbose=0)
    scores = model.train_on_batch(X, y)
    assert model.history is history
    with pytest.raises(TypeError, match="the result is a dict"):
        list(scores)


BETWEEN: dict[str, Callable[[nn.Sequential, np.ndarray, np.ndarray], object]] = {
    "nothing": lambda model, X, y: None,
    "predict": lambda model, X, y: model.predict(X),
    "load_state_dict": lambda model, X, y: model.load_state_dict({k: v * 2 for k, v in model.state_dict().items()}),
    "freeze": lambda model, X, y: model.freeze("0"),
    "compile": lambda model, X, y: model.compile("cross_entropy", nn.SGD(lr=0.1, momentum=0.5)),
    "an own step": lambda model, X, y: (model.loss_and_grads(X, y), model.step()),
    "fit": lambda model, X, y: model.fit(X, y, batch_size=7, verbose=0),
    "another rate": lambda model, X, y: setattr(model.optimizer, "lr", 0.5),
    "a part's training": lambda model, X, y: train_a_part(model, X),
    "a larger batch": lambda model, X, y: model.train_on_batch(np.tile(X, (3, 1)), np.tile(y, 3)),
}


def train_a_part(model: nn.Sequential, X: np.ndarray) -> None:
    part = model[:1]
    part.compile("mse", nn.SGD(lr=0.1))
    part.train_on_batch(X, np.zeros((len(X), 30)))


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("optimizer", [nn.SGD(lr=0.1), nn.Adam()], ids=repr)
def test_what_one_call_keeps_for_the_next_changes_no_bit(
    rng: np.random.Generator, between: str, optimizer: nn.Optimizer
) -> None:
    """A copy of the model keeps nothing."""
    X, y = rng.normal(size=(20, 6)).astype("float32"), rng.integers(0, 3, 20)
    model = nn.Sequential(nn.Linear(6, 30), nn.ReLU(), nn.Dropout(0.2), nn.Linear(30, 3), seed=1)
    model.compile("cross_entropy", copy.deepcopy(optimizer))
    for _ in range(2):
        model.train_on_batch(X, y)
        BETWEEN[between](model, X, y)
        fresh = copy.deepcopy(model)
        assert model.train_on_batch(X[:9], y[:9]) == fresh.train_on_batch(X[:9], y[:9])
        assert_same_bits(training_state(model), training_state(fresh))
