"""Conv2d: PyTorch's results for any settings, the same bits whoever computes them, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnext as nn
from error_bounds import bounded
from image_strategies import Shape, convolutions, gives, shapes
from internals import training_state
from loss_cases import LOSSES
from nnext import reference
from parity import assert_round_trip, assert_same_training
from strategies import SEEDS
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from tolerance import assert_within
from torch_twins import torch, twin

# Of several algorithms: wide and thin layers, few and many taps, and what is left over of panels and vectors.
SETTINGS: dict[str, tuple[nn.Conv2d, Shape]] = {
    "3x3": (nn.Conv2d(33, 35, 3, padding=1), (33, 9, 7)),
    "3x3 of a panel": (nn.Conv2d(64, 64, 3, padding="same", bias=False), (64, 8, 8)),
    "one channel": (nn.Conv2d(1, 6, 5, padding=2), (1, 28, 28)),
    "thin": (nn.Conv2d(6, 16, 5), (6, 14, 14)),
    "stride": (nn.Conv2d(16, 24, 3, stride=2, padding=1), (16, 15, 11)),
    "dilation": (nn.Conv2d(20, 17, (2, 3), dilation=(3, 2), padding=2), (20, 9, 9)),
    "groups": (nn.Conv2d(24, 48, 3, groups=4), (24, 9, 7)),
    "depthwise": (nn.Conv2d(37, 37, 3, padding=1, groups=37), (37, 9, 9)),
    "1x1": (nn.Conv2d(70, 33, 1), (70, 7, 7)),
    "1x1 stride": (nn.Conv2d(32, 64, 1, stride=2, bias=False), (32, 9, 9)),
}


def network(name: str, dtype: str = "float32") -> tuple[nn.Sequential, Shape]:
    """Return a compiled network with the convolution between others, and the shape of a sample."""
    layer, (channels, *size) = SETTINGS[name]
    out, height, width = gives(layer, (channels, *size))
    head = [nn.ReLU(), nn.Flatten(), nn.Linear(out * height * width, 10)]
    model = nn.Sequential(nn.Conv2d(2, channels, 1), nn.Tanh(), layer, *head, seed=4, dtype=dtype)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-3))
    return model, (2, *size)


def trained(name: str, threads: int, dtype: str = "float32") -> dict[str, Any]:
    """Return the state after a fit of two epochs of three steps, and outputs."""
    (model, shape), rng = network(name, dtype), np.random.default_rng(7)
    X, y = rng.normal(size=(80, *shape)).astype("float32"), rng.integers(10, size=80)
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=33, verbose=0)
        return training_state(model) | {"predicted": model.predict(X)}


@given(shapes(), SEEDS, st.data())
def test_20_steps_are_pytorchs(shape: Shape, seed: int, data: st.DataObject) -> None:
    layer, rng = data.draw(convolutions(shape)), np.random.default_rng(seed)
    head = nn.Linear(int(np.prod(gives(layer, shape))), 3)
    model = nn.Sequential(layer, nn.Tanh(), nn.Flatten(), head, seed=seed, dtype="float64")
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    other = twin(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng, shape=shape, steps=20)
    assert_round_trip(model, other, rng.normal(size=(3, *shape)))


@pytest.mark.parametrize("name", SETTINGS)
def test_wide_layers_are_the_references(name: str, isa: str, dtype: str, rng: np.random.Generator) -> None:
    layer, shape = SETTINGS[name]
    model = nn.Sequential(layer, seed=3, dtype=dtype)
    network, X = bounded(model), rng.normal(size=(5, *shape)).astype(dtype)
    expected = network.forward(X, True)
    assert_within(model.forward(X), expected, 2 * network.error)
    dY = rng.normal(size=expected.shape).astype(dtype)
    network.backward(dY.astype(np.float64), np.zeros(dY.shape))
    assert_within(model.backward(dY), network.network.backward(dY), 2 * network.input_gradient)
    for key, gradient in network.network.grads().items():
        assert_within(model.grads()[key], gradient, 2 * network.gradients[key])


@pytest.mark.parametrize("name", SETTINGS)
def test_no_number_of_threads_changes_a_bit(name: str, isa: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(name, threads))


@pytest.mark.parametrize("name", SETTINGS)
def test_instruction_sets_with_fma_train_to_the_same_bits(name: str, dtype: str) -> None:
    assert_isas_with_fma_agree(lambda: trained(name, 2, dtype))


@pytest.mark.parametrize("name", SETTINGS)
def test_one_image_alone_has_the_bits_that_it_has_among_others(name: str, isa: str, rng: np.random.Generator) -> None:
    model, shape = network(name)
    X = rng.normal(size=(5, *shape)).astype("float32")
    expected = model.predict(X)
    for i in range(len(X)):
        assert_same_bits(model.predict(X[i : i + 1])[0], expected[i])


def test_a_convolution_of_one_place_is_linear(isa: str, dtype: str, rng: np.random.Generator) -> None:
    conv, linear = nn.Sequential(nn.Conv2d(37, 41, 1), dtype=dtype), nn.Sequential(nn.Linear(37, 41), dtype=dtype)
    assert_same_bits(conv.state_dict()["0.weight"][:, :, 0, 0], linear.state_dict()["0.weight"])
    X = rng.normal(size=(9, 37)).astype(dtype)
    assert_same_bits(conv.predict(X[:, :, None, None])[:, :, 0, 0], linear.predict(X))


@pytest.mark.parametrize("settings", [{}, {"groups": 2}, {"weight_init": "he_uniform", "bias_init": "zeros"}])
def test_first_weights_are_drawn_in_pytorchs_order(settings: dict[str, Any], dtype: str) -> None:
    layer = nn.Conv2d(6, 8, (3, 2), **settings)
    state = nn.Sequential(nn.Tanh(), layer, seed=11, dtype=dtype).state_dict()
    fan_in = 6 // layer.groups * 3 * 2
    if "weight_init" not in settings:
        configs = [{"type": "Tanh"}, layer.config()]
        twin_state = reference.Network.from_config(configs, seed=11, dtype=dtype).state_dict()
        assert_same_bits(state, twin_state)
        assert np.abs(state["1.bias"]).max() <= fan_in**-0.5
        limit = fan_in**-0.5
    else:
        limit = (6 / fan_in) ** 0.5
    assert 0.9 * limit < np.abs(state["1.weight"]).max() <= limit


def test_images_without_channels_and_bytes(isa: str, rng: np.random.Generator) -> None:
    X = rng.integers(256, size=(6, 7, 5)).astype("uint8")
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, 3), seed=2)
    model.compile(loss="cross_entropy")
    expected = model.predict(X[:, None].astype("float32") / np.float32(255))
    assert_within(model.predict(X, scale=1 / 255), expected, 1e-6 * np.abs(expected).max())
    assert_same_bits(model.predict(X, scale=1 / 255), model.predict(X[:, None], scale=1 / 255))
    wide = X.astype("float32")
    model.forward(wide)
    assert model.backward(np.ones((6, 3), "float32")).shape == X.shape
    labels = np.arange(6) % 3
    history = model.fit(X, labels, epochs=3, batch_size=3, scale=1 / 255, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        (
            [nn.Conv2d(3, 2, 3)],
            (2, 5, 5),
            r"X has 2 channels but the network expects 3; .*, give \(samples, 3, height, width",
        ),
        ([nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 1)], (3, 5, 5), r"layer 1: \[conv2d\] .*\b2 channels .*\b3\b"),
        ([nn.Conv2d(1, 2, 5)], (1, 4, 9), r"layer 0: \[conv2d\] .*\b4\b.*\b5\b"),
        ([nn.Conv2d(1, 2, 3, dilation=3, padding=1)], (1, 9, 4), r"layer 0: \[conv2d\] .*\b7\b"),
        ([nn.Conv2d(1, 2, 3), nn.Linear(3, 2)], (1, 5, 5), r"layer 1: \[linear\] .*(Flatten|GlobalAvgPool2d)"),
        ([nn.Conv2d(1, 2, 3), nn.BatchNorm2d(3)], (1, 5, 5), r"layer 1: \[batch_norm\] .*\b2 channels .*\b3\b"),
        ([nn.Conv2d(1, 2, 3), nn.BatchNorm1d(2)], (1, 5, 5), r"layer 1: \[batch_norm\] .*BatchNorm2d"),
        ([nn.Linear(4, 4), nn.Conv2d(1, 2, 3)], (4,), r"layer 1: \[conv2d\] "),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[nn.Layer], shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*layers).predict(np.zeros((2, *shape)))
