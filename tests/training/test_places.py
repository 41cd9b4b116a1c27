"""Sequences and images to the end: Linear at each step, and losses with a label for each step or place."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import reference
from support import assert_same_bits
from tolerance import assert_within, eps

# Layers, the shape of a sample, and that of its labels.
NETWORKS: dict[str, tuple[list[nn.Layer], tuple[int, ...], tuple[int, ...]]] = {
    "steps": ([nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 4)], (6, 5), (6,)),
    "steps, Softmax": ([nn.Linear(5, 4), nn.Softmax()], (6, 5), (6,)),
    "images": ([nn.Conv2d(2, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 4, 1)], (2, 5, 3), (5, 3)),
    "images, Softmax": ([nn.Conv2d(2, 4, 3, padding=1), nn.Softmax()], (2, 5, 3), (5, 3)),
}


def task(name: str, rng: np.random.Generator, dtype: str = "float64") -> tuple[nn.Sequential, Any, Any]:
    layers, shape, places = NETWORKS[name]
    model = nn.Sequential(*layers, seed=3, dtype=dtype)
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.1, momentum=0.5))
    return model, rng.normal(size=(20, *shape)), rng.integers(4, size=(20, *places))


@pytest.mark.parametrize("weights", ["none", "samples", "places"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_label_for_each_place(name: str, weights: str, isa: str, rng: np.random.Generator) -> None:
    model, X, y = task(name, rng)
    w = {"none": None, "samples": rng.uniform(size=20), "places": rng.uniform(size=y.shape)}[weights]
    network = reference.Network.from_model(model, "cross_entropy", reference.SGD(lr=0.1, momentum=0.5))
    loss, grads = model.loss_and_grads(X, y, sample_weight=w)
    expected, expected_grads = network.loss_and_grads(X, y, w)
    assert_within(loss, expected, 100 * eps("float64") * expected)
    for key, gradient in expected_grads.items():
        assert_within(grads[key], gradient, 1e-13 * np.abs(gradient).max())
    history = model.fit(X, y, epochs=3, batch_size=7, sample_weight=w, verbose=0).history["loss"]
    np.testing.assert_allclose(history, network.fit(X, y, 3, 7, sample_weight=w)["loss"], rtol=1e-12)
    for key, values in network.state_dict().items():
        assert_within(model.state_dict()[key], values, 1e-11 * np.abs(values).max())
    assert model.evaluate(X, y, sample_weight=w)["loss"] == pytest.approx(network.evaluate(X, y, w), rel=1e-12)


@pytest.mark.parametrize("class_weight", [{0: 0.0, 2: 3.0}, "balanced"])
@pytest.mark.parametrize("name", NETWORKS)
def test_labels_of_places_are_weighed_by_their_classes(name: str, class_weight: Any, rng: np.random.Generator) -> None:
    model, X, y = task(name, rng)
    factors = np.array([0, 1, 3, 1]) if isinstance(class_weight, dict) else y.size / (4 * np.bincount(y.reshape(-1)))
    for w in (None, rng.uniform(0.5, 1, size=20), rng.uniform(0.5, 1, size=y.shape)):
        of_places = factors[y] * (1 if w is None else w.reshape(*w.shape, *(1 for _ in y.shape[w.ndim :])))
        twin, _, _ = task(name, rng)
        twin.load_state_dict(model.state_dict())
        by_hand = twin.fit(X, y, epochs=2, batch_size=7, sample_weight=of_places, verbose=0).history
        other, _, _ = task(name, rng)
        other.load_state_dict(model.state_dict())
        told = other.fit(X, y, epochs=2, batch_size=7, sample_weight=w, class_weight=class_weight, verbose=0).history
        assert told["loss"] == by_hand["loss"]
        assert_same_bits(other.state_dict(), twin.state_dict())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_rows_for_linear(isa: str, dtype: str, rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.Linear(5, 37), nn.GELU(), nn.Linear(37, 3), dtype=dtype)
    X, dY = rng.normal(size=(9, 7, 5)).astype(dtype), rng.normal(size=(9, 7, 3)).astype(dtype)
    rows = model.predict(X.reshape(63, 5))
    assert_same_bits(model.predict(X), rows.reshape(9, 7, 3))
    model.forward(X)
    dX, grads = model.backward(dY), model.grads()
    model.forward(X.reshape(63, 5))
    assert_same_bits(dX, model.backward(dY.reshape(63, 3)).reshape(9, 7, 5))
    assert_same_bits(grads, model.grads())


@pytest.mark.parametrize("first", [nn.Tanh(), nn.Softmax(), nn.Dropout(0.5), nn.Branches([nn.Tanh()], [])])
@pytest.mark.parametrize("shape", [(3, 2, 5), (1, 2, 5), (6, 5), (30,)])
def test_what_comes_before_flatten_acts_on_channels(
    first: nn.Layer, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    """Where Flatten says that a sample may have any shape."""
    features = int(np.prod(shape)) * (2 if isinstance(first, nn.Branches) else 1)
    model = nn.Sequential(first, nn.Flatten(), nn.Linear(features, 4), dtype="float64", seed=2)
    network, X = reference.Network.from_model(model), rng.normal(size=(7, *shape))
    for ours, expected in ((model.predict(X), network.predict(X)), (model.forward(X), network.forward(X, True))):
        assert_within(ours, expected, features * eps("float64") * (1 + np.abs(X).max()))
    dY = rng.normal(size=(7, 4))
    assert_within(model.backward(dY), network.backward(dY), features * eps("float64") * 4 * np.abs(dY).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_labels_of_other_shapes_are_refused(name: str, rng: np.random.Generator) -> None:
    model, X, y = task(name, rng)
    for wrong in (y[:, :-1], y.reshape(20, -1)[:, :2], y[:-1]):
        with pytest.raises(ValueError, match=r"\[fit\] "):
            model.fit(X, wrong, verbose=0)
