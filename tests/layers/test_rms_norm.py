"""RMSNorm: PyTorch's results over any of the last axes, and its eps."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from loss_cases import LOSSES
from nnext import reference
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
    "planes": ((3, 5, 4), (5, 4)),
}
SETTINGS: list[dict[str, Any]] = [{}, {"elementwise_affine": False}, {"eps": 0.1}]


def network(name: str, dtype: str = "float64", **settings: Any) -> nn.Sequential:
    shape, axes = SHAPES[name]
    flat = [nn.Flatten()] if len(shape) > 1 else []
    layers = [nn.RMSNorm(axes, **settings), nn.Tanh(), *flat, nn.Linear(int(np.prod(shape)), 3)]
    model = nn.Sequential(*layers, seed=6, dtype=dtype)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    return model


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_20_steps_are_pytorchs(name: str, settings: dict[str, Any], isa: str, rng: np.random.Generator) -> None:
    model, shape = network(name, **settings), SHAPES[name][0]
    other = twin(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng, shape=shape, steps=20)
    assert_round_trip(model, other, rng.normal(size=(3, *shape)))


def test_without_an_eps_it_is_that_of_the_dtype(isa: str, dtype: str, rng: np.random.Generator) -> None:
    """Where x is so small that eps decides."""
    x = (np.sqrt(eps(dtype)) * rng.normal(size=(5, 7))).astype(dtype)
    for made in (nn.Sequential(nn.RMSNorm(7), dtype=dtype), reference.Network([reference.RMSNorm((7,))], dtype=dtype)):
        wide = x.astype("float64")
        expected = wide / np.sqrt((wide * wide).mean(axis=1, keepdims=True) + eps(dtype))
        assert_within(made.predict(x), expected, 10 * eps(dtype) * np.abs(expected))
    zeros = np.zeros((2, 7), dtype)
    assert_same_bits(nn.Sequential(nn.RMSNorm(7), dtype=dtype).predict(zeros), zeros)


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


def test_what_does_not_fit_is_refused() -> None:
    model = [nn.Linear(3, 4), nn.RMSNorm(5)]
    with pytest.raises(ValueError, match=r"layer 1: \[rms_norm\] .*\b4\b.*\b5\b"):
        nn.Sequential(*model)
    with pytest.raises(ValueError, match=r"\[rms_norm\] x has shape \(2, 4\) but the layer expects \(5,\)"):
        reference.Network([reference.RMSNorm((5,))]).predict(np.ones((2, 4)))
    for wrong in (0, -1.0, np.inf):
        with pytest.raises(ValueError, match=r"\[RMSNorm\] eps is "):
            nn.RMSNorm(5, wrong)
