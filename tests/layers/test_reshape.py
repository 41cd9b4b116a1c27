"""Reshape: the order in which people write numbers, whatever order they lie in, and what does not fit."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import reference
from support import assert_same_bits

SHAPES: list[tuple[int, ...]] = [(24,), (6, 4), (2, 3, 4), (3, 8, 1), (24, 1, 1), (1, 4, 6), (2, 2, 3, 2)]


@pytest.mark.parametrize("to", [*SHAPES, (-1,), (-1, 4), (2, -1, 4), (2, 3, -1)])
@pytest.mark.parametrize("start", SHAPES)
def test_numbers_keep_numpys_order(start: tuple[int, ...], to: tuple[int, ...], rng: np.random.Generator) -> None:
    """As first layer, where samples are of any shape, and after another one, where images lie channels last."""
    x = rng.normal(size=(5, *start)).astype("float32")
    expected = x.reshape(5, *to)
    first = nn.Sequential(nn.Reshape(*to))
    inner = nn.Sequential(nn.ReLU(), nn.Reshape(*to), input_shape=start)
    assert_same_bits(first.predict(x), expected)
    assert_same_bits(inner.predict(x), np.maximum(expected, 0))
    assert_same_bits(inner.forward(x), np.maximum(expected, 0))
    dy = rng.normal(size=expected.shape).astype("float32")
    assert_same_bits(inner.backward(dy), np.where(x > 0, dy.reshape(x.shape), 0).astype("float32"))
    assert_same_bits(first.forward(x), expected)
    assert_same_bits(first.backward(dy), dy.reshape(x.shape))


def test_sizes_may_come_in_one_tuple_or_list() -> None:
    for shape in ((2, -1), [2, -1]):
        assert nn.Reshape(shape) == nn.Reshape(2, -1)
    assert repr(nn.Reshape((2, 3))) == "Reshape(2, 3)"
    assert nn.Reshape(4).shape == (4,)
    assert nn.Reshape(2, -1).config() == {"type": "Reshape", "shape": [2, -1]}
    with pytest.raises(TypeError, match=r"\[Reshape\] shape is 3; give a list of sizes"):
        nn.Layer.from_config({"type": "Reshape", "shape": 3})


def test_features_become_images_and_come_back(rng: np.random.Generator) -> None:
    layers = [nn.Linear(7, 18), nn.Reshape(2, 3, 3), nn.Conv2d(2, 4, 2), nn.Tanh(), nn.Reshape(-1), nn.Linear(16, 3)]
    model, flat = (nn.Sequential(*layers, dtype="float64", seed=3) for _ in range(2))
    model.compile(loss="mse", optimizer="adam")
    network = reference.Network.from_model(model, "mse", reference.Adam())
    X, y = rng.normal(size=(20, 7)), rng.normal(size=(20, 3))
    history = model.fit(X, y, epochs=3, batch_size=7, verbose=0).history["loss"]
    np.testing.assert_allclose(history, network.fit(X, y, 3, 7)["loss"], rtol=1e-12)
    assert model[:2].predict(X).shape == (20, 2, 3, 3)
    assert flat.input_shape == (7,)


def test_what_is_known_of_samples_from_the_sizes() -> None:
    known = nn.Sequential(nn.Dropout(), nn.Reshape(1, 6, 6), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 3))
    assert known.input_shape == (36,)
    assert known.predict(np.ones(36)).shape == (3,)
    assert nn.Sequential(nn.Reshape(-1, 6), nn.Linear(6, 3)).input_shape is None
    assert nn.Sequential(nn.Reshape(1, 6, 6), nn.Conv2d(1, 2, 3)).predict(np.ones((2, 36))).shape == (2, 2, 4, 4)
    assert nn.Sequential(nn.Reshape(1, 6, 6), nn.Conv2d(1, 2, 3)).predict(np.ones((2, 6, 6))).shape == (2, 2, 4, 4)
    steps = nn.Sequential(nn.Reshape(-1, 5), nn.Linear(5, 3))  # of any number
    for count in (1, 4):
        assert steps.predict(np.ones((2, 5 * count))).shape == (2, count, 3)
    rows = nn.Sequential(nn.Reshape(-1), nn.Linear(12, 3))
    assert rows.predict(np.ones((2, 4, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([nn.Reshape(2, 3)], (5,), r"\[predict\] X has 5 features but the network expects 6; "),
        (
            [nn.Reshape(-1, 4)],
            (6,),
            r"layer 0: \[reshape\] x is \(6,\) a sample, 6 numbers, which .* \(-1, 4\); change",
        ),
        ([nn.Linear(5, 7), nn.Reshape(2, 3)], (5,), r"layer 1: \[reshape\] x is \(7,\) .* \(2, 3\)"),
        ([nn.Reshape(3, 4), nn.MaxPool1d(4)], (12,), r"layer 1: \[max_pool1d\] sequences of 3 "),
        ([nn.Linear(5, 2), nn.Reshape(1, 1, 1, 1, 1, 2)], (5,), r"a sample has 6 axes; at most 5 are possible"),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[nn.Layer], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*layers).predict(np.zeros((2, *shape)))


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((), ValueError, r"shape is \(\); write Reshape\(1, 28, 28\)"),
        (((),), ValueError, r"shape is \(\); write Reshape\(1, 28, 28\)"),
        ((-1, -1), ValueError, r"shape is \(-1, -1\); give sizes of 1 or more, one of which may be -1"),
        ((3, 0), ValueError, r"shape is \(3, 0\); give sizes of 1 or more"),
        ((3, -2), ValueError, r"shape\[1\] is -2; "),
        ((2.5,), TypeError, r"shape\[0\] is 2.5"),
        ((True, 2), TypeError, r"shape\[0\] is True"),
        (((2, 3), 4), TypeError, r"shape\[0\] is \(2, 3\)"),
    ],
)
def test_what_are_no_sizes_is_refused(shape: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"\[Reshape\] {message}"):
        nn.Reshape(*shape)
