"""Tiny networks train in a kernel of their own: to the bit what own loops, which call the layers, come to."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from activation_cases import ACTIVATIONS
from cases import OPTIMIZERS
from internals import training_state
from support import assert_same_bits, require_two_fma_isas, use_isa

ROWS = 50

# Edges of tiles and vectors. What is too wide for an instruction set goes the ordinary way, to the same bits.
NETWORKS: dict[str, list[nn.Layer]] = {
    "xor": [nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)],
    "ten": [nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 10)],
    "one_layer": [nn.Linear(7, 3)],
    "no_activations": [nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 2)],
    "no_biases": [nn.Linear(3, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 1, bias=False), nn.Tanh()],
    "many_inputs": [nn.Linear(100, 4), nn.LeakyReLU(0.1), nn.Linear(4, 3)],
    "up_to_a_vector_and_beyond": [nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 9), nn.ReLU(), nn.Linear(9, 16)],
    "up_to_two_vectors_and_beyond": [nn.Linear(5, 17), nn.ReLU(), nn.Linear(17, 32), nn.ReLU(), nn.Linear(32, 33)],
    "flatten_and_softmax": [nn.Flatten(), nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3), nn.Softmax()],
    "two_activations": [nn.Linear(4, 3), nn.Tanh(), nn.Sigmoid(), nn.Linear(3, 2)],
    "activation_first": [nn.Tanh(), nn.Linear(4, 3)],
    "dropout": [nn.Linear(4, 3), nn.Dropout(0.3), nn.Linear(3, 2)],
}


def targets(rng: np.random.Generator, loss: str, rows: int, outputs: int) -> np.ndarray:
    """Return labels for cross-entropy, probabilities or any numbers otherwise."""
    if loss == "cross_entropy":
        return rng.integers(outputs, size=rows)
    return rng.uniform(size=(rows, outputs)) if "bce" in loss else rng.normal(size=(rows, outputs))


def build(
    layers: list[nn.Layer], loss: str = "mse", optimizer: Any = "sgd", dtype: str = "float32", **settings: Any
) -> nn.Sequential:
    model = nn.Sequential(*layers, seed=5, dtype=dtype)
    model.compile(loss=loss, optimizer=optimizer, **settings)
    return model


def data(
    rng: np.random.Generator, layers: list[nn.Layer], loss: str = "mse", rows: int = ROWS
) -> tuple[np.ndarray, np.ndarray]:
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    X = rng.normal(size=(rows, linear[0].in_features))
    return X, targets(rng, loss, rows, linear[-1].out_features)


def own_loop(
    model: nn.Sequential,
    X: np.ndarray,
    y: np.ndarray,
    epochs: int = 2,
    batch_size: int = 8,
    shuffle: bool = True,
) -> list[float]:
    """Train layer by layer; return the epochs' losses as fit records them."""
    losses = []
    for _ in range(epochs):
        order = internals.begin_epoch(model, len(X), shuffle)
        total = 0.0
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            loss, _ = model.loss_and_grads(X[rows], y[rows])
            model.step()
            total += loss * len(rows)
        losses.append(total / len(X))
    return losses


def assert_fit_is_the_own_loop(
    layers: list[nn.Layer],
    X: np.ndarray,
    y: np.ndarray,
    frozen: tuple[str, ...] = (),
    loss: str = "mse",
    optimizer: str = "sgd",
    dtype: str = "float32",
    **arguments: Any,
) -> None:
    whole, stepwise = (build(layers, loss, OPTIMIZERS[optimizer].make(), dtype) for _ in range(2))
    for model in (whole, stepwise):
        for layer in frozen:
            model.freeze(layer)
    history = whole.fit(X, y, verbose=0, **{"epochs": 2, "batch_size": 8, **arguments}).history
    assert history["loss"] == own_loop(stepwise, X, y, **arguments)
    assert_same_bits(training_state(whole), training_state(stepwise))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_tiny_network_trains_as_its_layers_do(isa: str, dtype: str, rng: np.random.Generator, network: str) -> None:
    layers = NETWORKS[network]
    assert_fit_is_the_own_loop(layers, *data(rng, layers), dtype=dtype)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_with_every_optimizer(isa: str, dtype: str, rng: np.random.Generator, optimizer: str) -> None:
    layers = NETWORKS["ten"]
    X, y = data(rng, layers, "cross_entropy")
    assert_fit_is_the_own_loop(layers, X, y, loss="cross_entropy", optimizer=optimizer, dtype=dtype)


@pytest.mark.parametrize(
    ("network", "loss"),
    [("xor", "mse"), ("xor", "bce_with_logits")]
    + [("ten", loss) for loss in ("mse", "bce_with_logits", "cross_entropy")]
    + [("flatten_and_softmax", loss) for loss in ("mse", "bce", "cross_entropy")],
)
def test_with_every_loss_and_weights(isa: str, dtype: str, rng: np.random.Generator, network: str, loss: str) -> None:
    layers = NETWORKS[network]
    X, y = data(rng, layers, loss)
    assert_fit_is_the_own_loop(layers, X, y, loss=loss, dtype=dtype)
    # An own loop's batches know no weights of other samples. A limit on gradients, too high to change one, has layers
    # called as well.
    tiny, ordinary = (build(layers, loss, dtype=dtype, clip_norm=limit) for limit in (None, 1e6))
    arguments = {"epochs": 2, "batch_size": 8, "sample_weight": rng.uniform(0, 2, size=ROWS), "verbose": 0}
    assert tiny.fit(X, y, **arguments).history == ordinary.fit(X, y, **arguments).history
    assert_same_bits(training_state(tiny), training_state(ordinary))


def test_with_probabilities_of_classes(isa: str, dtype: str, rng: np.random.Generator) -> None:
    layers = NETWORKS["ten"]
    X, y = data(rng, layers, "bce")
    assert_fit_is_the_own_loop(layers, X, y / y.sum(axis=1, keepdims=True), loss="cross_entropy", dtype=dtype)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_with_every_activation(isa: str, dtype: str, rng: np.random.Generator, activation: str) -> None:
    f = ACTIVATIONS[activation].layer
    layers = [nn.Linear(4, 7), f, nn.Linear(7, 3), f]
    assert_fit_is_the_own_loop(layers, *data(rng, layers), dtype=dtype)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 5, 7, 9, 16, 33, 49, 50])
def test_in_batches_of_every_size(isa: str, rng: np.random.Generator, batch_size: int, shuffle: bool) -> None:
    layers = NETWORKS["ten"]
    X, y = data(rng, layers, "cross_entropy")
    for samples in (X.astype("float32"), X.astype("float32")[:, ::-1], rng.integers(9, size=X.shape).astype("uint8")):
        assert_fit_is_the_own_loop(layers, samples, y, loss="cross_entropy", batch_size=batch_size, shuffle=shuffle)


@pytest.mark.parametrize("frozen", [("0",), ("2",), ("4",), ("0", "2"), ("2", "4"), ("0", "4"), ("0", "2", "4")])
def test_frozen_layers_stay(isa: str, rng: np.random.Generator, frozen: tuple[str, ...]) -> None:
    layers = NETWORKS["ten"]
    assert_fit_is_the_own_loop(layers, *data(rng, layers), frozen=frozen, optimizer="adam")


def test_what_follows_a_fit_finds_the_weights_that_it_left(isa: str, rng: np.random.Generator) -> None:
    """Copies that layers derive from their weights are not kept in step meanwhile."""
    layers = NETWORKS["ten"]
    X, y = data(rng, layers, "cross_entropy")
    mixed, stepwise = (build(layers, "cross_entropy") for _ in range(2))
    for _ in range(3):
        mixed.fit(X, y, epochs=1, batch_size=8, verbose=0)
        own_loop(mixed, X, y, epochs=1)
        own_loop(stepwise, X, y, epochs=2)
        mixed.fit(X, y, epochs=1, batch_size=ROWS, verbose=0)  # another plan
        own_loop(stepwise, X, y, epochs=1, batch_size=ROWS)
        assert_same_bits(training_state(mixed), training_state(stepwise))


@pytest.mark.parametrize("network", ["ten", "flatten_and_softmax"])
def test_metrics_are_told_the_outputs_before_each_step(isa: str, rng: np.random.Generator, network: str) -> None:
    layers = NETWORKS[network]
    X, y = data(rng, layers, "cross_entropy")
    model, watcher = (nn.Sequential(*layers, seed=5) for _ in range(2))
    for each in (model, watcher):
        each.compile(loss="cross_entropy", optimizer="sgd", metrics=["accuracy"])
    right = 0
    order = internals.begin_epoch(watcher, ROWS, True)
    for start in range(0, ROWS, 8):
        rows = order[start : start + 8]
        right += int((watcher.predict_classes(X[rows]) == y[rows]).sum())
        watcher.loss_and_grads(X[rows], y[rows])
        watcher.step()
    history = model.fit(X, y, epochs=1, batch_size=8, verbose=0).history
    assert history["accuracy"] == [right / ROWS]
    assert_same_bits(training_state(model), training_state(watcher))


@pytest.mark.parametrize("optimizer", [nn.SGD(lr=1e18), nn.SGD(lr=50.0), nn.SGD(lr=3.0), nn.Adam(lr=3e18)])
def test_divergence_leaves_the_state_of_the_last_finite_loss(
    isa: str, rng: np.random.Generator, optimizer: nn.optimizers.Optimizer
) -> None:
    layers = NETWORKS["no_activations"]
    X, y = data(rng, layers)
    model, stepwise = (build(layers, optimizer=optimizer) for _ in range(2))
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(X, y, epochs=10_000, batch_size=8, verbose=0)
    own_loop(stepwise, X, y, epochs=caught.value.epoch)
    order = internals.begin_epoch(stepwise, ROWS, True)
    for step in range(caught.value.step + 1):
        rows = order[8 * step : 8 * step + 8]
        before = training_state(stepwise)
        assert np.isfinite(stepwise.loss_and_grads(X[rows], y[rows])[0]) == (step < caught.value.step)
        if step < caught.value.step:
            last = before
            stepwise.step()
    if caught.value.step > 0:
        assert_same_bits(training_state(model), last)


@pytest.mark.parametrize("network", NETWORKS)
def test_instruction_sets_with_fma_train_to_the_same_bits(dtype: str, rng: np.random.Generator, network: str) -> None:
    layers = NETWORKS[network]
    X, y = data(rng, layers)
    states = []
    for name in require_two_fma_isas():
        with use_isa(name):
            model = build(layers, optimizer="adam", dtype=dtype)
            model.fit(X, y, epochs=3, batch_size=7, verbose=0)
            states.append(training_state(model))
    assert_same_bits(states[0], states[1])


def test_products_asked_for_in_bf16_are_not_taken_over(rng: np.random.Generator) -> None:
    if not nn.runtime.available_bf16():
        pytest.skip("this CPU has no products of bf16")
    layers = [nn.Linear(40, 32), nn.ReLU(), nn.Linear(32, 32)]
    X, y = data(rng, layers)
    models = [nn.Sequential(*layers, seed=5) for _ in range(2)]
    for model in models:
        model.compile(loss="mse", optimizer="sgd", precision="bf16")
    models[0].fit(X, y, epochs=2, batch_size=8, verbose=0)
    own_loop(models[1], X, y)
    assert_same_bits(training_state(models[0]), training_state(models[1]))
