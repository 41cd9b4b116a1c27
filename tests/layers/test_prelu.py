"""PReLU: PyTorch's results, weights of all kinds, the same bits whatever the team, and what does not fit."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from loss_cases import LOSSES
from parity import assert_round_trip, assert_same_training
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from torch_twins import torch, twin

SHAPES: dict[str, tuple[tuple[int, ...], int]] = {  # of a sample, and weights
    "features": ((37,), 37),
    "features, one weight": ((37,), 1),
    "one feature": ((1,), 1),
    "steps": ((5, 19), 19),
    "images": ((3, 5, 4), 3),
    "images, one weight": ((3, 5, 4), 1),
    "wide images": ((70, 3, 2), 70),
}


def network(name: str, dtype: str = "float64") -> nn.Sequential:
    shape, weights = SHAPES[name]
    flat = [nn.Flatten()] if len(shape) > 1 else []
    layers = [nn.PReLU(weights, init=-0.3), *flat, nn.Linear(int(np.prod(shape)), 3)]
    model = nn.Sequential(*layers, seed=6, dtype=dtype, input_shape=shape)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    return model


@pytest.mark.parametrize("name", SHAPES)
def test_20_steps_are_pytorchs(name: str, isa: str, rng: np.random.Generator) -> None:
    model, shape = network(name), SHAPES[name][0]
    other = twin(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng, shape=shape, steps=20)
    assert_round_trip(model, other, rng.normal(size=(3, *shape)))


def trained(name: str, threads: int, dtype: str = "float32") -> dict[str, np.ndarray]:
    model, rng = network(name, dtype), np.random.default_rng(7)
    X, y = rng.normal(size=(700, *SHAPES[name][0])).astype("float32"), rng.normal(size=(700, 3))
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=330, verbose=0)
        return training_state(model)


@pytest.mark.parametrize("name", SHAPES)
def test_no_number_of_threads_changes_a_bit(name: str, isa: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(name, threads))


@pytest.mark.parametrize("name", SHAPES)
def test_instruction_sets_with_fma_train_to_the_same_bits(name: str, dtype: str) -> None:
    assert_isas_with_fma_agree(lambda: trained(name, 2, dtype))


def test_a_weight_starts_from_init_and_is_a_leaky_relus_slope(isa: str, dtype: str, rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.PReLU(), dtype=dtype)
    assert_same_bits(model.state_dict()["0.weight"], np.full(1, 0.25, dtype))
    x = rng.normal(size=(9, 33)).astype(dtype)
    assert_same_bits(model.predict(x), nn.functional.leaky_relu(x, 0.25))
    model.load_state_dict({"0.weight": [0.0]})
    np.testing.assert_array_equal(model.predict(x), nn.functional.relu(x))


@pytest.mark.parametrize("weight", [-2.0, 0.0, 1.0])
def test_at_0_gradients_are_those_of_the_negative_side(isa: str, dtype: str, weight: float) -> None:
    model = nn.Sequential(nn.PReLU(init=weight), dtype=dtype)
    model.forward(np.array([[0.0, -0.0, 1.0, -1.0]]))
    np.testing.assert_array_equal(model.backward(np.full((1, 4), 3.0)), [[3 * weight, 3 * weight, 3, 3 * weight]])
    assert model.grads()["0.weight"] == [-3]


def test_the_channels_of_signals_are_first(rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.MaxPool1d(2), nn.PReLU(3), dtype="float64")
    weight = np.array([0.5, -1.0, 2.0])
    model.load_state_dict({"1.weight": weight})
    x, dy = rng.normal(size=(4, 3, 10)), rng.normal(size=(4, 3, 5))
    pooled = x.reshape(4, 3, 5, 2).max(axis=-1)
    assert_same_bits(model.forward(x), np.where(pooled > 0, pooled, weight[:, None] * pooled))
    model.backward(dy)
    expected = np.where(pooled > 0, 0, pooled * dy).sum(axis=(0, 2))
    np.testing.assert_allclose(model.grads()["1.weight"], expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([nn.Linear(3, 4), nn.PReLU(5)], (3,), r"layer 1: \[prelu\] .*\b4\b.*\b5\b.*num_parameters to 1 or 4"),
        ([nn.PReLU(5)], (4,), r"X has 4 features but the network expects 5"),
        ([nn.Conv2d(1, 2, 3), nn.PReLU(3)], (1, 5, 5), r"layer 1: \[prelu\] x has 2 channels but the layer has 3 "),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[nn.Layer], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*layers).predict(np.zeros((2, *shape)))


def test_a_frozen_one_keeps_its_weight(rng: np.random.Generator) -> None:
    model = network("features")
    model.freeze("0")
    X: Any = rng.normal(size=(20, 37))
    model.fit(X, rng.normal(size=(20, 3)), epochs=3, verbose=0)
    assert (model.state_dict()["0.weight"] == -0.3).all()
