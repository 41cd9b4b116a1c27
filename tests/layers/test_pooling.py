"""Pooling: PyTorch's results for any settings, where the gradient of a maximum goes, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnext as nn
from image_strategies import Shape, gives, pools, shapes
from internals import training_state
from loss_cases import LOSSES
from nnext import reference
from parity import assert_round_trip, assert_same_training
from strategies import SEEDS
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from torch_twins import torch, twin

# Channels less than, as many as and more than fit a vector.
LAYERS: dict[str, tuple[nn.Layer, Shape]] = {
    "max": (nn.MaxPool2d(2), (16, 10, 10)),
    "max overlapping": (nn.MaxPool2d(3, 2, 1), (37, 9, 11)),
    "avg": (nn.AvgPool2d(2), (3, 10, 10)),
    "avg inside": (nn.AvgPool2d((3, 2), 1, 1, count_include_pad=False), (19, 7, 9)),
    "global": (nn.GlobalAvgPool2d(), (37, 9, 9)),
}


@given(shapes(), SEEDS, st.data())
def test_20_steps_are_pytorchs(shape: Shape, seed: int, data: st.DataObject) -> None:
    layer, rng = data.draw(pools(shape)), np.random.default_rng(seed)
    last = gives(layer, shape)
    layers = [nn.Conv2d(shape[0], shape[0], 1), layer, nn.GlobalAvgPool2d(), nn.Linear(last[0], 3)]
    model = nn.Sequential(*layers, seed=seed, dtype="float64")
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    other = twin(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng, shape=shape, steps=20)
    assert_round_trip(model, other, rng.normal(size=(3, *shape)))


@given(shapes(), SEEDS, st.data())
def test_of_equal_numbers_the_first_gets_the_gradient(shape: Shape, seed: int, data: st.DataObject) -> None:
    layer, rng = data.draw(pools(shape)), np.random.default_rng(seed)
    model = nn.Sequential(layer, dtype="float64")
    network = reference.Network.from_model(model)
    X = rng.integers(-1, 2, size=(3, *shape)).astype(float)
    np.testing.assert_allclose(model.forward(X), network.forward(X, training=True), rtol=1e-14, atol=1e-15)
    dY = rng.integers(1, 9, size=(3, *gives(layer, shape))).astype(float)
    np.testing.assert_allclose(model.backward(dY), network.backward(dY), rtol=1e-13)


SIGNALS: dict[str, list[nn.Layer]] = {
    "alone": [nn.MaxPool1d(2)],
    "after others": [nn.Tanh(), nn.MaxPool1d(2), nn.ReLU()],
    "dropout": [nn.MaxPool1d(2), nn.Dropout(0.4)],
    "beside": [nn.Branches([nn.MaxPool1d(3, 1, 1)], [nn.Tanh()]), nn.MaxPool1d(2)],
    "softmax": [nn.MaxPool1d(2), nn.Softmax()],
    "flat": [nn.MaxPool1d(2), nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 3)],
}


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_signals_have_their_channels_first_in_all_layers(loss: str, name: str, rng: np.random.Generator) -> None:
    model = nn.Sequential(*SIGNALS[name], dtype="float64", seed=3)
    model.compile(loss, nn.SGD(lr=0.1))
    network = reference.Network.from_model(model, loss, reference.SGD(lr=0.1))
    X = rng.normal(size=(4, 3, 8))
    shape = model.predict(X).shape
    np.testing.assert_allclose(network.predict(X), model.predict(X), rtol=1e-13)
    labels = rng.integers(shape[1], size=(4, *shape[2:]))
    for y in [rng.dirichlet(np.ones(shape[1]), size=(4, *shape[2:])).swapaxes(1, -1)] + [labels] * (loss != "mse"):
        for weight in (None, rng.uniform(size=4), rng.uniform(size=(4, *shape[2:]))):
            value, _ = model.loss_and_grads(X, y, sample_weight=weight)
            expected, _ = network.loss_and_grads(X, y, weight)
            assert value == pytest.approx(expected, rel=1e-13)
            model.step()
            network.step()
    dY = rng.normal(size=shape)
    np.testing.assert_allclose(model.forward(X), network.forward(X, training=True), rtol=1e-13)
    np.testing.assert_allclose(model.backward(dY), network.backward(dY), rtol=1e-12, atol=1e-15)


def trained(name: str, threads: int, dtype: str = "float32") -> dict[str, np.ndarray]:
    (layer, shape), rng = LAYERS[name], np.random.default_rng(7)
    head = [nn.Flatten(), nn.Linear(int(np.prod(gives(layer, shape))), 5)]
    head = head[1:] if name == "global" else head
    model = nn.Sequential(nn.Conv2d(shape[0], shape[0], 3, padding=1), layer, *head, seed=4, dtype=dtype)
    model.compile(loss="cross_entropy", optimizer="adam")
    X, y = rng.normal(size=(70, *shape)).astype("float32"), rng.integers(5, size=70)
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=33, verbose=0)
        return training_state(model) | {"predicted": model.predict(X)}


@pytest.mark.parametrize("name", LAYERS)
def test_no_number_of_threads_changes_a_bit(name: str, isa: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(name, threads))


@pytest.mark.parametrize("name", LAYERS)
def test_instruction_sets_with_fma_train_to_the_same_bits(name: str, dtype: str) -> None:
    assert_isas_with_fma_agree(lambda: trained(name, 2, dtype))


def test_padding_is_never_the_largest(isa: str, dtype: str) -> None:
    X = np.full((2, 3, 4, 5), -7.0)
    assert (nn.Sequential(nn.MaxPool2d(3, 1, 1), dtype=dtype).predict(X) == -7).all()


def test_zeros_around_the_image_count_or_not(isa: str, dtype: str) -> None:
    X = np.ones((1, 1, 2, 2))
    counts, ignores = (nn.AvgPool2d(2, 2, 1, count_include_pad=c) for c in (True, False))
    assert (nn.Sequential(counts, dtype=dtype).predict(X) == 0.25).all()
    assert (nn.Sequential(ignores, dtype=dtype).predict(X) == 1).all()


def test_images_without_channels_have_one(isa: str, rng: np.random.Generator) -> None:
    X = rng.normal(size=(4, 6, 5)).astype("float32")
    for layer in (nn.MaxPool2d(2), nn.AvgPool2d(2), nn.GlobalAvgPool2d(), nn.BatchNorm2d(1)):
        model = nn.Sequential(layer)
        assert_same_bits(model.predict(X), model.predict(X[:, None]))
        model.backward(np.ones_like(model.forward(X)))


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([nn.MaxPool2d(5)], (2, 4, 9), r"layer 0: \[max_pool2d\] .*\b4\b.*\b5\b"),
        ([nn.AvgPool2d((2, 7), padding=(0, 1))], (2, 4, 4), r"layer 0: \[avg_pool2d\] .*\b4\b.*\b7\b"),
        ([nn.MaxPool2d(2), nn.MaxPool2d(2), nn.MaxPool2d(2)], (1, 7, 7), r"layer 2: \[max_pool2d\] .*\b1\b.*\b2\b"),
        ([nn.MaxPool1d(9)], (2, 6), r"layer 0: \[max_pool1d\] signals of 6 .* window of 9;"),
        (
            [nn.MaxPool1d(2), nn.Linear(3, 1)],
            (2, 6),
            r"layer 1: \[linear\] .*; put Flatten\(\) or GlobalAvgPool1d\(\) before",
        ),
        ([nn.Linear(4, 4), nn.MaxPool2d(2)], (4,), r"layer 1: \[max_pool2d\] "),
        ([nn.GlobalAvgPool2d(), nn.GlobalAvgPool2d()], (3, 4, 4), r"layer 1: \[global_avg_pool2d\] "),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[nn.Layer], shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*layers).predict(np.zeros((2, *shape)))
