"""What fit does: its order, its batches, its record, and that own loops come to the same."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS
from internals import training_state
from loss_cases import LOSSES
from nnext import metrics, reference
from support import assert_same_bits
from tolerance import assert_relative, assert_within, eps

CLASSES = 3


def blobs(rng: np.random.Generator, n: int = 50, features: int = 4) -> tuple[np.ndarray, np.ndarray]:
    y = rng.integers(CLASSES, size=n)
    return rng.normal(size=(n, features)) + 2 * np.eye(CLASSES, features)[y], y


def classifier(optimizer: Any = None, dtype: str = "float64", seed: int = 0, **settings: Any) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Dropout(0.25), nn.Linear(6, CLASSES), seed=seed, dtype=dtype)
    model.compile(loss="cross_entropy", optimizer=optimizer or nn.SGD(lr=0.1, momentum=0.9), **settings)
    return model


def fit(model: nn.Sequential, X: Any, y: Any, **arguments: Any) -> dict[str, list[float]]:
    return model.fit(X, y, **{"verbose": 0, **arguments}).history


@pytest.mark.parametrize("batch_size", [1, 7, 10, 50, 51, 1000])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_fit_is_the_references(rng: np.random.Generator, batch_size: int, shuffle: bool) -> None:
    """The same order of samples, dropout masks, ragged last batch, losses and weights."""
    X, y = blobs(rng)
    model = classifier(nn.SGD(lr=0.02, momentum=0.5), seed=11)  # steps so small that they do not magnify errors
    network = reference.Network.from_model(model, "cross_entropy", reference.SGD(lr=0.02, momentum=0.5))
    for epochs in (2, 1):  # two fits in a row: epochs and steps go on counting
        history = fit(model, X, y, epochs=epochs, batch_size=batch_size, shuffle=shuffle)
        expected = network.fit(X, y, epochs=epochs, batch_size=batch_size, shuffle=shuffle)
        assert_relative(history["loss"], expected["loss"], 1e3 * eps("float64"))
    assert internals.counters(model) == (network.steps, 3, network.steps)
    for name, values in network.state_dict().items():
        # At most 150 steps, each of which adds a few eps.
        assert_relative(model.state_dict()[name], values, 1e3 * eps("float64"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_and_own_loops_agree_to_rounding(rng: np.random.Generator, optimizer: str, dtype: str) -> None:
    X, y = blobs(rng, 20)
    models = [classifier(OPTIMIZERS[optimizer].make(), dtype) for _ in range(3)]
    fit(models[0], X, y, epochs=2, batch_size=8)
    for _ in range(2):
        for model in models[1:]:
            order = internals.begin_epoch(model, 20, True)
            for start in range(0, 20, 8):
                rows = order[start : start + 8]
                if model is models[1]:
                    model.loss_and_grads(X[rows], y[rows])
                else:
                    z = model.forward(X[rows], training=True)
                    model.backward(nn.functional.cross_entropy_grad(z, y[rows]))
                model.step()
    for model in models[1:]:
        assert internals.counters(model) == internals.counters(models[0])
        for name, values in models[0].state_dict().items():
            # Adam divides by the root of a mean square, which magnifies what is lost in small gradients.
            assert_relative(model.state_dict()[name], values, 1e4 * eps(dtype))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_recorded_loss_is_that_of_the_batches_before_their_steps(rng: np.random.Generator, loss: str) -> None:
    case = LOSSES[loss]
    last = [case.last_layer] if case.last_layer is not None else [nn.Sigmoid()] if case.name == "bce" else []
    X, y, weight = rng.normal(size=(10, 4)), case.targets(rng, 10, 3), rng.uniform(0.5, 2, size=10)
    models = [nn.Sequential(nn.Linear(4, 3), *last, dtype="float64") for _ in range(2)]
    for model in models:
        model.compile(loss=case.name, optimizer=nn.SGD(lr=0.1))
    recorded = fit(models[0], X, y, batch_size=4, shuffle=False, sample_weight=weight)["loss"][0]
    total = 0.0
    for start in range(0, 10, 4):
        part = slice(start, start + 4)
        value, _ = models[1].loss_and_grads(X[part], y[part], sample_weight=weight[part])
        models[1].optimizer.lr = 0.1 * weight[part].mean() / weight.mean()  # as much as the batch counts
        models[1].step()
        total += value * weight[part].sum()
    assert_relative(recorded, total / weight.sum(), 100 * eps("float64"))


def test_one_step_goes_along_the_gradient(rng: np.random.Generator) -> None:
    X, y = blobs(rng)
    model = classifier(nn.SGD(lr=0.5))
    before, (_, grads) = model.state_dict(), model.loss_and_grads(X, y)
    fit(model, X, y, batch_size=50, shuffle=False)
    for name, values in model.state_dict().items():
        assert_within(values, before[name] - 0.5 * grads[name], 10 * eps("float64"))


def test_the_shuffle_is_the_references_and_differs_from_epoch_to_epoch() -> None:
    """With the loss p, a rate of 1 and a batch of 1 the weight of feature i tells when sample i came: it is one-hot."""
    n, seen = 17, []

    def watch(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        seen.append(int(t[0]))
        return 0.0, np.zeros_like(p)

    model = nn.Sequential(nn.Linear(1, 1), seed=2**40 + 3)
    model.compile(loss=watch, optimizer="sgd")
    fit(model, np.zeros((n, 1)), np.arange(n), epochs=3, batch_size=1)
    orders = [seen[i : i + n] for i in range(0, 3 * n, n)]
    for epoch, order in enumerate(orders):
        name = reference.random.stream(reference.random.SHUFFLE, 0, epoch)
        assert order == reference.random.permutation(n, 2**40 + 3, name).tolist()
    assert orders[0] != orders[1]


# ---- Record ---------------------------------------------------------------------------------------------------------


def test_history_holds_loss_and_metrics_of_every_epoch(rng: np.random.Generator) -> None:
    X, y = blobs(rng)

    def mean_label(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float(np.mean(y_true)) + 0 * float(y_pred.sum())

    model = classifier(metrics=["accuracy", metrics.f1, mean_label])
    history = model.fit(X, y, epochs=4, validation_data=(X[:9], y[:9]), verbose=0)
    names = ["loss", "accuracy", "f1", "mean_label"]
    assert list(history.history) == [*names, *(f"val_{name}" for name in names)]
    assert history.epoch == [0, 1, 2, 3]
    assert {len(values) for values in history.history.values()} == {4}
    assert history.stop_reason == "all epochs done"
    assert model.history is history
    assert_relative(history.history["mean_label"], [y.mean()] * 4, 10 * eps("float64"))
    assert history.history["val_loss"][-1] == model.evaluate(X[:9], y[:9])["loss"]
    assert history.history["accuracy"][-1] > history.history["accuracy"][0]


def test_metrics_of_an_epoch_are_told_from_the_outputs_that_were_trained_on(rng: np.random.Generator) -> None:
    X, y = blobs(rng, 21)
    model, watcher = classifier(metrics=["accuracy"]), classifier()
    recorded = fit(model, X, y, batch_size=8)["accuracy"][0]
    order, right = internals.begin_epoch(watcher, 21, True), 0
    for start in range(0, 21, 8):
        rows = order[start : start + 8]
        right += int((watcher.forward(X[rows], training=True).argmax(axis=1) == y[rows]).sum())
        watcher.loss_and_grads(X[rows], y[rows])
        watcher.step()
    assert recorded == right / 21


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
def test_metrics_get_the_output_of_the_last_layer_also_where_it_is_fused(loss: str, rng: np.random.Generator) -> None:
    seen = []

    def keep(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        seen.append(y_pred.copy())
        return 0.0

    last, k = (nn.Softmax(), 3) if loss == "cross_entropy" else (nn.Sigmoid(), 1)
    model = nn.Sequential(nn.Linear(4, k), last, dtype="float64")
    model.compile(loss=loss, optimizer=nn.SGD(lr=0.0), metrics=[keep])
    X = rng.normal(size=(10, 4))
    fit(model, X, rng.integers(2, size=10), batch_size=3)
    assert_same_bits(seen[0], model.predict(X))


@pytest.mark.parametrize("order", ["shuffled", "last"])
def test_validation_split_holds_a_part_out_and_says_which(rng: np.random.Generator, order: Any) -> None:
    X, y = blobs(rng)
    models = [classifier(metrics=["accuracy"]) for _ in range(2)]
    weight = np.arange(1, 51)
    options = {"epochs": 2, "batch_size": 8, "verbose": 0}
    split = models[0].fit(X, y, validation_split=0.3, validation_order=order, sample_weight=weight, **options)
    held = np.isin(np.arange(50), split.validation_rows)
    assert held.sum() == 15
    assert order == "shuffled" or held[35:].all()
    validation = (X[held], y[held], weight[held])
    given = models[1].fit(X[~held], y[~held], validation_data=validation, sample_weight=weight[~held], **options)
    assert given.validation_rows is None
    assert split.history == given.history
    assert_same_bits(training_state(models[0]), training_state(models[1]))


def test_validation_changes_nothing(rng: np.random.Generator) -> None:
    X, y = blobs(rng)
    models = [classifier() for _ in range(2)]
    fit(models[0], X, y, epochs=2)
    fit(models[1], X, y, epochs=2, validation_data=(X, y))
    assert_same_bits(training_state(models[0]), training_state(models[1]))


def test_a_rate_of_zero_changes_no_weight(rng: np.random.Generator) -> None:
    X, y = blobs(rng)
    for optimizer in (nn.SGD(lr=0, momentum=0.9), nn.Adam(lr=0), nn.Adagrad(lr=0)):
        model = classifier(optimizer)
        before = model.state_dict()
        fit(model, X, y)
        assert_same_bits(model.state_dict(), before)


def test_a_rate_that_is_changed_between_epochs_counts_from_the_next_on(rng: np.random.Generator) -> None:
    X, y = blobs(rng)
    model, twin = classifier(nn.SGD(lr=0.1)), classifier(nn.SGD(lr=0.1))

    def halve(epoch: int, logs: Any) -> None:
        model.optimizer.lr /= 2

    fit(model, X, y, epochs=3, callbacks=[nn.LambdaCallback(on_epoch_end=halve)])
    for lr in (0.1, 0.05, 0.025):
        twin.optimizer.lr = lr
        fit(twin, X, y)
    assert_same_bits(training_state(model), training_state(twin))


def test_frozen_layers_do_not_change_and_the_others_do(rng: np.random.Generator) -> None:
    X, y = blobs(rng)
    for frozen, moving in (("0", "3"), ("3", "0")):
        model = classifier(nn.Adam(lr=0.01, weight_decay=0.1))
        before = model.state_dict()
        model.freeze(frozen)
        fit(model, X, y, epochs=2)
        _, grads = model.loss_and_grads(X, y)
        for name, values in model.state_dict().items():
            if name.startswith(frozen):
                assert_same_bits(values, before[name])
                assert not grads[name].any()
            else:
                assert name.startswith(moving)
                assert (values != before[name]).all()
        model.unfreeze(frozen)
        fit(model, X, y)
        assert (model.state_dict()[f"{frozen}.weight"] != before[f"{frozen}.weight"]).all()


def test_freezing_all_layers_trains_nothing(rng: np.random.Generator) -> None:
    X, y = blobs(rng)
    model = classifier()
    before = model.state_dict()
    model.freeze("0", "3")
    assert len(fit(model, X, y, epochs=2)["loss"]) == 2
    assert_same_bits(model.state_dict(), before)
