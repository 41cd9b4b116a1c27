"""Layers over one axis: as those of images of one line, alike on signals and sequences, and what they refuse."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnext as nn
from image_strategies import Shape, convolutions, pools
from internals import training_state
from nnext import reference
from strategies import SEEDS
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit
from tolerance import assert_within, eps

# Channels less than, as many as and more than fit a vector, and length of samples (C, L).
LAYERS: dict[str, tuple[nn.Layer, Shape]] = {
    "conv": (nn.Conv1d(33, 35, 3, padding=1), (33, 19)),
    "conv of one channel": (nn.Conv1d(1, 6, 5, padding="same"), (1, 50)),
    "conv stride": (nn.Conv1d(16, 24, 4, stride=3, padding=2, bias=False), (16, 31)),
    "conv dilation groups": (nn.Conv1d(24, 48, 3, dilation=4, groups=4), (24, 17)),
    "conv depthwise": (nn.Conv1d(37, 37, 3, padding="same", groups=37), (37, 9)),
    "max": (nn.MaxPool1d(3, 2, 1), (37, 20)),
    "avg": (nn.AvgPool1d(3, 2, 1, count_include_pad=False), (16, 21)),
    "global max": (nn.GlobalMaxPool1d(), (37, 13)),
    "global avg": (nn.GlobalAvgPool1d(), (19, 40)),
    "attention": (nn.AttentionPooling(70, 65), (70, 17)),
}


def identity(channels: int) -> nn.Layer:
    """Return a layer that changes nothing, but says that features are last."""
    if channels == 1:  # a PReLU of one weight takes any
        return nn.Linear(1, 1, bias=False, weight_init="ones")
    return nn.PReLU(channels, init=1)


def as_steps(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.swapaxes(1, 2)) if x.ndim == 3 else x


def networks(name: str, dtype: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layer for signals, and the same for sequences."""
    layer, (channels, _) = LAYERS[name]
    signals, sequences = (
        nn.Sequential(first, layer, seed=3, dtype=dtype) for first in (nn.MaxPool1d(1), identity(channels))
    )
    return signals, sequences


@pytest.mark.parametrize("name", LAYERS)
def test_signals_and_sequences_have_the_same_bits(name: str, isa: str, dtype: str, rng: np.random.Generator) -> None:
    signals, sequences = networks(name, dtype)
    X = rng.normal(size=(5, *LAYERS[name][1])).astype(dtype)
    sequences.freeze(0)
    y = signals.forward(X)
    assert_same_bits(sequences.forward(as_steps(X)), as_steps(y))
    dY = rng.normal(size=y.shape).astype(dtype)
    assert_same_bits(sequences.backward(as_steps(dY)), as_steps(signals.backward(dY)))
    grads = sequences.grads()
    assert_same_bits({key: grads[key] for key in signals.grads()}, signals.grads())


def one_line(shape: Shape, layer: Any) -> tuple[Shape, nn.Layer, nn.Layer]:
    """Return a layer that Hypothesis drew for images of one line with windows of one line, and that for signals."""
    sides = {name: (1, getattr(layer, name)[1]) for name in ("kernel_size", "dilation") if hasattr(layer, name)}
    stride = None if layer.stride is None else (1, layer.stride[1])
    padding = "same" if layer.padding == "same" else (0, layer.padding[1])
    settings = vars(layer) | sides | {"stride": stride, "padding": padding}
    images = type(layer)(**settings)
    name = type(layer).__name__.replace("2d", "1d")
    lines = {key: value[1] if isinstance(value, tuple) else value for key, value in settings.items()}
    return (shape[0], shape[2]), images, getattr(nn, name)(**lines)


@given(st.tuples(st.integers(1, 6), st.just(1), st.integers(1, 9)), SEEDS, st.data())
def test_they_are_those_of_images_of_one_line(shape: Shape, seed: int, data: st.DataObject) -> None:
    drawn = data.draw(st.one_of(convolutions(shape), pools(shape)))
    (channels, length), images, signals = one_line(shape, drawn)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3, channels, length)).round(1).astype("float32")
    image, signal = (nn.Sequential(layer, seed=seed) for layer in (images, signals))
    y = signal.forward(X)
    assert_same_bits(image.forward(X[:, :, None])[:, :, 0], y)
    dY = rng.normal(size=y.shape).astype("float32")
    assert_same_bits(image.backward(dY[:, :, None])[:, :, 0], signal.backward(dY))
    for key, gradient in signal.grads().items():
        assert_same_bits(image.grads()[key].reshape(gradient.shape), gradient)
        assert_same_bits(image.state_dict()[key].reshape(gradient.shape), signal.state_dict()[key])


def trained(name: str, threads: int, dtype: str = "float32") -> dict[str, np.ndarray]:
    """Return the state after a fit on sequences, and outputs."""
    (layer, (channels, length)), rng = LAYERS[name], np.random.default_rng(7)
    shape = nn.Sequential(identity(channels), layer).predict(np.zeros((1, length, channels))).shape[1:]
    head = [nn.Flatten()] * (len(shape) > 1) + [nn.Linear(int(np.prod(shape)), 5)]
    model = nn.Sequential(nn.Linear(3, channels), layer, *head, seed=4, dtype=dtype)
    model.compile(loss="cross_entropy", optimizer="adam")
    X, y = rng.normal(size=(70, length, 3)).astype("float32"), rng.integers(5, size=70)
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=33, verbose=0)
        return training_state(model) | {"predicted": model.predict(X)}


@pytest.mark.parametrize("name", LAYERS)
def test_no_number_of_threads_changes_a_bit(name: str, isa: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(name, threads))


@pytest.mark.parametrize("name", LAYERS)
def test_instruction_sets_with_fma_train_to_the_same_bits(name: str, dtype: str) -> None:
    assert_isas_with_fma_agree(lambda: trained(name, 2, dtype))


@pytest.mark.parametrize("name", LAYERS)
def test_one_sample_alone_has_the_bits_that_it_has_among_others(name: str, isa: str, rng: np.random.Generator) -> None:
    for model, turn in zip(networks(name, "float32"), (np.asarray, as_steps), strict=True):
        X = turn(rng.normal(size=(5, *LAYERS[name][1])).astype("float32"))
        expected = model.predict(X)
        for i in range(len(X)):
            assert_same_bits(model.predict(X[i : i + 1])[0], expected[i])


@pytest.mark.parametrize("first", [nn.Conv1d(5, 4, 3), nn.AttentionPooling(5, 3)])
def test_a_first_layer_is_trained_as_the_reference_is(first: nn.Layer, rng: np.random.Generator) -> None:
    """Its gradients are wanted, but not those of its input."""
    last = [nn.Flatten(), nn.Linear(12, 2)] if isinstance(first, nn.Conv1d) else [nn.Linear(5, 2)]
    model = nn.Sequential(first, *last, seed=6, dtype="float64")
    model.compile("mse", nn.SGD(lr=0.1))
    network = reference.Network.from_model(model, "mse", reference.SGD(lr=0.1))
    X, y = rng.normal(size=(20, 5, 5)), rng.normal(size=(20, 2))
    for each in (model, network):
        each.fit(X, y, epochs=3, batch_size=8, **({"verbose": 0} if each is model else {}))
    for key, values in network.state_dict().items():
        assert_within(model.state_dict()[key], values, 1e-12 * np.abs(values).max())


@pytest.mark.parametrize("layer", [nn.Conv1d(6, 8, 3, groups=2), nn.AttentionPooling(6, 5)])
def test_first_weights_are_the_references(layer: nn.Layer, dtype: str) -> None:
    state = nn.Sequential(nn.Tanh(), layer, seed=11, dtype=dtype).state_dict()
    twin = reference.Network.from_config([{"type": "Tanh"}, layer.config()], seed=11, dtype=dtype)
    assert_same_bits(state, twin.state_dict())


def test_of_equal_numbers_the_first_gets_the_gradient(isa: str, dtype: str) -> None:
    X = np.array([[[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]]])
    for first, turn in ((nn.MaxPool1d(1), np.asarray), (identity(2), as_steps)):
        model = nn.Sequential(first, nn.GlobalMaxPool1d(), dtype=dtype)
        assert model.forward(turn(X)).tolist() == [[3, 2]]
        dX = model.backward(np.array([[5.0, 7.0]]))
        assert dX.tolist() == turn(np.array([[[0, 5, 0], [7, 0, 0]]])).tolist()


def test_attention_of_one_step_and_of_equal_steps_is_that_step(isa: str, dtype: str, rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.AttentionPooling(5, 3), seed=2, dtype=dtype)
    x = rng.normal(size=(4, 1, 5)).astype(dtype)
    assert_same_bits(model.predict(x), x[:, 0])
    assert_within(model.predict(np.repeat(x, 9, axis=1)), x[:, 0], 12 * eps(dtype) * np.abs(x[:, 0]))


@pytest.mark.parametrize(
    ("layer", "shape", "gives"),
    [
        (nn.Conv1d(2, 3, 5), (2, 5), (3, 1)),
        (nn.Conv1d(2, 3, 1), (2, 1), (3, 1)),
        (nn.Conv1d(2, 3, 3, padding=1), (2, 1), (3, 1)),
        (nn.Conv1d(2, 3, 4, padding="same"), (2, 1), (3, 1)),
        (nn.Conv1d(2, 3, 2, stride=9), (2, 3), (3, 1)),
        (nn.MaxPool1d(4), (2, 4), (2, 1)),
        (nn.AvgPool1d(1), (2, 1), (2, 1)),
        (nn.AvgPool1d(2, 1, 1), (2, 1), (2, 2)),
        (nn.GlobalMaxPool1d(), (2, 1), (2,)),
        (nn.GlobalAvgPool1d(), (2, 1), (2,)),
    ],
)
def test_the_shortest_samples(layer: nn.Layer, shape: Shape, gives: Shape, rng: np.random.Generator) -> None:
    model = nn.Sequential(layer, dtype="float64", seed=2)
    network, X = reference.Network.from_model(model), rng.normal(size=(3, *shape))
    expected = network.forward(X, training=True)
    assert expected.shape == (3, *gives)
    assert_within(model.forward(X), expected, 1e-14)
    dY = rng.normal(size=expected.shape)
    assert_within(model.backward(dY), network.backward(dY), 1e-14)
    for key, gradient in network.grads().items():
        assert_within(model.grads()[key], gradient, 1e-13)


def test_signals_without_channels_have_one(isa: str, rng: np.random.Generator) -> None:
    X = rng.normal(size=(4, 6)).astype("float32")
    for layer in (nn.Conv1d(1, 2, 3), nn.AvgPool1d(2), nn.GlobalAvgPool1d(), nn.GlobalMaxPool1d()):
        model = nn.Sequential(layer)
        assert_same_bits(model.predict(X), model.predict(X[:, None]))
        model.forward(X)
        assert model.backward(np.ones_like(model.predict(X))).shape == X.shape


def test_slices_take_the_sequences_that_come_to_them(rng: np.random.Generator) -> None:
    layers = [
        nn.Linear(4, 5),
        nn.Conv1d(5, 6, 3, padding=1),
        nn.MaxPool1d(2),
        nn.Linear(6, 3),
        nn.AttentionPooling(3, 2),
    ]
    model, X = nn.Sequential(*layers, input_shape=(7, 4), seed=2), rng.normal(size=(6, 7, 4)).astype("float32")
    y = model.predict(X)
    for place in range(1, len(layers)):
        part, H = model[place:], model[:place].predict(X)
        assert part.input_shape == H.shape[1:]
        assert_same_bits(part.predict(H), y)
        assert_same_bits(part[:1].predict(H), model[: place + 1].predict(X))
        assert_same_bits(copy.deepcopy(part).predict(H), y)
        part.compile("mse", "adam", ema=0.9)
        assert np.isfinite(copy.deepcopy(part).fit(H, np.ones((6, 3)), verbose=0).history["loss"]).all()


def test_a_told_shape_that_fits_as_a_sequence_alone_is_one(rng: np.random.Generator) -> None:
    X = rng.normal(size=(6, 7, 5)).astype("float32")
    model = nn.Sequential(nn.Conv1d(5, 4, 3), input_shape=(7, 5), seed=2)
    assert_same_bits(
        model.predict(X), nn.Sequential(nn.Conv1d(5, 4, 3), seed=2).predict(X.swapaxes(1, 2)).swapaxes(1, 2)
    )
    with pytest.raises(ValueError, match=r"\[conv1d\] x has 7 channels but the layer expects 5;"):
        nn.Sequential(nn.Conv1d(5, 4, 9), input_shape=(7, 5))


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([nn.Conv1d(3, 2, 3)], (2, 5), r"X has 2 channels but the network expects 3; .*, give \(samples, 3, length\)"),
        ([nn.Conv1d(1, 2, 5)], (1, 4), r"layer 0: \[conv1d\] signals of 4 .* window of 5; change kernel_size or padd"),
        ([nn.Conv1d(1, 2, 3, padding=1, dilation=3)], (1, 4), r"layer 0: \[conv1d\] signals of 4 .* window of 7;"),
        ([nn.Linear(2, 3), nn.Conv1d(3, 2, 5)], (4, 2), r"layer 1: \[conv1d\] sequences of 4 .* window of 5;"),
        (
            [nn.Linear(2, 3), nn.Conv1d(2, 2, 1)],
            (4, 2),
            r"layer 1: \[conv1d\] x has 3 features .* expects 2; change in",
        ),
        (
            [nn.Conv1d(1, 2, 3), nn.Conv1d(3, 2, 1)],
            (1, 4),
            r"layer 1: \[conv1d\] x has 2 channels .* expects 3; change",
        ),
        (
            [nn.Conv1d(1, 2, 3), nn.Linear(2, 2)],
            (1, 5),
            r"layer 1: \[linear\] .* put Flatten\(\) or GlobalAvgPool1d\(\)",
        ),
        (
            [nn.Conv1d(1, 2, 3), nn.Conv2d(2, 2, 1)],
            (1, 5),
            r"layer 1: \[conv2d\] .* takes images \(channels, height, wi",
        ),
        ([nn.AvgPool1d(9)], (2, 6), r"layer 0: \[avg_pool1d\] signals of 6 .* window of 9;"),
        (
            [nn.GlobalMaxPool1d(), nn.GlobalAvgPool1d()],
            (2, 6),
            r"layer 1: \[global_avg_pool1d\] x is \(2,\) a sample but the layer takes signals \(channels, length\) or",
        ),
        ([nn.Linear(2, 3), nn.GlobalMaxPool1d()], (2,), r"layer 1: \[global_max_pool1d\] x is \(3,\) a sample"),
        ([nn.AttentionPooling(3, 2)], (4, 5), r"X has 5 features but the network expects 3; .* \(samples, steps, 3\)"),
        ([nn.AttentionPooling(3, 2)], (3,), r"first layer takes \(samples, steps, 3\)"),
        ([nn.MaxPool1d(1), nn.AttentionPooling(3, 2)], (2, 4), r"\[attention_pooling\] x has 2 channels .* expects 3"),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[nn.Layer], shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*layers).predict(np.zeros((2, *shape)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Conv1d(4, 6, 3, groups=4),
            r"\[Conv1d\] groups is 4 but out_channels is 6; give groups that divide",
        ),
        (lambda: nn.Conv1d(4, 6, 3, stride=2, padding="same"), r"\[Conv1d\] padding is 'same' but stride is 2; give a"),
        (lambda: nn.Conv1d(4, 6, 3, padding="valid"), r"\[Conv1d\] .*padding.*'valid'.*same"),
        (lambda: nn.Conv1d(4, 6, 3, bias_init="orthogonal"), r"\[Conv1d\] bias_init is 'orthogonal'"),
        (
            lambda: nn.AvgPool1d(3, padding=2),
            r"\[AvgPool1d\] padding is 2 but kernel_size is 3; give a padding of at mo",
        ),
        (lambda: nn.AttentionPooling(3, 2, bias_init="orthogonal"), r"\[AttentionPooling\] bias_init is 'orthogonal'"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
