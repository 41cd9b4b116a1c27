"""LayerNorm: PyTorch's results over any of the last axes, the same in training and predictions."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from loss_cases import LOSSES
from parity import assert_round_trip, assert_same_training
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from tolerance import assert_within, eps
from torch_twins import torch, twin

SHAPES: dict[str, tuple[tuple[int, ...], Any]] = {  # of a sample, and what is normalized together
    "features": ((37,), 37),
    "one feature": ((1,), 1),
    "steps": ((5, 19), 19),
    "sequence": ((5, 19), (5, 19)),
    "images": ((3, 5, 4), (3, 5, 4)),
    "wide images": ((35, 3, 2), (35, 3, 2)),
    "planes": ((3, 5, 4), (5, 4)),
}
SETTINGS: list[dict[str, Any]] = [{}, {"bias": False}, {"elementwise_affine": False}, {"eps": 0.1}]


def network(name: str, dtype: str = "float64", **settings: Any) -> nn.Sequential:
    shape, axes = SHAPES[name]
    flat = [nn.Flatten()] if len(shape) > 1 else []
    layers = [nn.LayerNorm(axes, **settings), nn.Tanh(), *flat, nn.Linear(int(np.prod(shape)), 3)]
    model = nn.Sequential(*layers, seed=6, dtype=dtype)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    return model


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_20_steps_are_pytorchs(name: str, settings: dict[str, Any], isa: str, rng: np.random.Generator) -> None:
    model = network(name, **settings)
    other = twin(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng, shape=SHAPES[name][0], steps=20)
    assert_round_trip(model, other, rng.normal(size=(3, *SHAPES[name][0])))


@pytest.mark.parametrize("name", SHAPES)
def test_arrays_have_the_normalized_shape(name: str) -> None:
    axes = SHAPES[name][1]
    expected = axes if isinstance(axes, tuple) else (axes,)
    state = network(name).state_dict()
    assert state["0.weight"].shape == state["0.bias"].shape == expected
    assert (state["0.weight"] == 1).all()
    assert not state["0.bias"].any()
    assert "0.bias" not in network(name, bias=False).state_dict()
    assert not [key for key in network(name, elementwise_affine=False).state_dict() if key.startswith("0.")]


@pytest.mark.parametrize("name", SHAPES)
def test_training_predictions_and_a_sample_alone_have_the_same_bits(
    name: str, isa: str, dtype: str, rng: np.random.Generator
) -> None:
    model = network(name, dtype)
    X = rng.normal(size=(7, *SHAPES[name][0])).astype(dtype)
    expected = model.predict(X)
    assert_same_bits(model.forward(X), expected)
    for i in range(len(X)):
        assert_same_bits(model.predict(X[i : i + 1])[0], expected[i])


def test_a_large_mean_costs_no_digits_of_the_variance(isa: str, dtype: str, rng: np.random.Generator) -> None:
    """E[x^2] - E[x]^2 would have none left in float32."""
    X = (1e4 + rng.normal(size=(6, 70))).astype(dtype)
    wide = X.astype(np.float64)
    expected = (wide - wide.mean(axis=1, keepdims=True)) / np.sqrt(wide.var(axis=1, keepdims=True) + 1e-9)
    model = nn.Sequential(nn.LayerNorm(70, eps=1e-9), dtype=dtype)
    assert_within(model.predict(X), expected, 1e4 * 80 * eps(dtype) * (1 + np.abs(expected)))


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


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([nn.Linear(3, 4), nn.LayerNorm(5)], (3,), r"layer 1: \[layer_norm\] .*\b4\b.*\b5\b"),
        ([nn.LayerNorm((4, 5))], (5, 4), r"X has 4 features but the network expects 5"),
        ([nn.LayerNorm((4, 5))], (3, 5), r"layer 0: \[layer_norm\] "),
        ([nn.Conv2d(1, 2, 3), nn.LayerNorm((3, 3, 2))], (1, 5, 5), r"layer 1: \[layer_norm\] "),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[nn.Layer], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*layers).predict(np.zeros((2, *shape)))
