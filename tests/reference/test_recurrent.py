"""The reference's recurrent layers and Embedding beside PyTorch's, in float64, and what they start from."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import reference
from nnext.reference import initializers, random
from nnext.reference.layers import inner_numbers
from numeric import NUMERIC, numeric_grad
from torch_twins import load, sequential, torch

TOLERANCE = 1e-12  # relative to norms: some hundred roundings, in sums of numbers of about 1
N, F, H = 3, 4, 5

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "RNN": (nn.RNN, {}),
    "RNN_relu": (nn.RNN, {"nonlinearity": "relu"}),
    "GRU": (nn.GRU, {}),
    "LSTM": (nn.LSTM, {}),
}
STACKS = [*product((1, 2, 3), (False, True), (False, True))]


def assert_close(ours: np.ndarray, theirs: Any, what: str) -> None:
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    assert np.linalg.norm(ours - theirs) <= TOLERANCE * np.linalg.norm(theirs), what


def network(layer: nn.Layer, seed: int = 1) -> reference.Network:
    """Return a network of the layer, whose numbers are all drawn: start values are 0 where biases could be wrong."""
    config, rng = layer.config(), np.random.default_rng(seed)
    state = reference.Network.from_config([config]).state_dict()
    return reference.Network.from_config([config], {name: 0.5 * rng.normal(size=a.shape) for name, a in state.items()})


def torchs(layer: nn.Layer, net: reference.Network) -> Any:
    """Return PyTorch's module with the numbers of the network."""
    made = sequential([layer]).double()
    load(made, net.state_dict())
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("num_layers", "bidirectional", "return_sequences"), STACKS)
@pytest.mark.parametrize(("steps", "bias"), [(6, True), (6, False), (1, True)])
def test_outputs_and_gradients_are_pytorchs(
    kind: str, num_layers: int, bidirectional: bool, return_sequences: bool, steps: int, bias: bool
) -> None:
    cls, settings = KINDS[kind]
    layer = cls(F, H, num_layers, bidirectional=bidirectional, return_sequences=return_sequences, bias=bias, **settings)
    net, rng = network(layer), np.random.default_rng(2)
    theirs, x = torchs(layer, net), rng.normal(size=(N, steps, F))
    theirs_x = torch.tensor(x, requires_grad=True)
    y = theirs(theirs_x)
    dy = rng.normal(size=y.shape)
    y.backward(torch.from_numpy(dy))
    assert_close(net.predict(x), y, "prediction")
    assert_close(net.forward(x, training=True), y, "output")
    assert_close(net.backward(dy), theirs_x.grad, "gradient of x")
    named = dict(theirs.named_parameters())
    assert list(net.state_dict()) == list(named)
    assert net.grads().keys() == named.keys()
    for name, gradient in net.grads().items():
        assert_close(gradient, named[name].grad, name)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_numeric_ones_also_with_dropout(kind: str) -> None:
    cls, settings = KINDS[kind]
    layer = cls(2, 3, 2, dropout=0.4, bidirectional=True, **settings)
    net, rng = network(layer), np.random.default_rng(5)
    x, dy = rng.normal(size=(2, 4, 2)), rng.normal(size=(2, 6))

    def value(given: np.ndarray) -> float:
        return float((net.forward(given, training=True) * dy).sum())

    expected = numeric_grad(value, x)
    value(x)
    np.testing.assert_allclose(net.backward(dy), expected, atol=NUMERIC)
    for name, gradient in net.grads().items():
        p = net.layers[0].parameters()[name.removeprefix("0.")]
        start = p.copy()

        def at(v: np.ndarray, p: np.ndarray = p) -> float:
            p[...] = v
            return value(x)

        np.testing.assert_allclose(gradient, numeric_grad(at, start), atol=NUMERIC)
        p[...] = start


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_is_its_levels_and_dropouts_one_after_the_other(kind: str) -> None:
    """With the random numbers of the layers that it stands for, start values included."""
    cls, settings = KINDS[kind]
    layer = cls(F, H, 3, dropout=0.3, **settings)
    configs = [nn.Residual(nn.ReLU()).config(), layer.config()]
    net = reference.Network.from_config(configs, seed=7)
    state, x, inner = net.state_dict(), np.random.default_rng(3).normal(size=(N, 6, F)), inner_numbers(1)
    y = x + np.maximum(x, 0)
    for k in range(3):
        one = cls(F if k == 0 else H, H, return_sequences=k < 2, **settings).config()
        number = 1 if k == 0 else next(inner)
        if k > 0:
            y *= random.dropout_mask(y.shape, 0.3, seed=7, layer=number, step=0)
            number = next(inner)
        own = reference.layers.base.find(one).start(one, 7, number, inner)
        for name, values in own.items():
            np.testing.assert_array_equal(state[f"1.{name[:-1]}{k}"], values)
        y = reference.Network.from_config([one], {f"0.{name}": values for name, values in own.items()}).predict(y)
    np.testing.assert_array_equal(net.forward(x, training=True), y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_each_gate_starts_from_numbers_of_its_own(kind: str, bias: bool) -> None:
    cls, settings = KINDS[kind]
    inits = {"weight_init": "normal", "recurrent_init": "lecun_uniform"} | ({"bias_init": "he_normal"} if bias else {})
    layer = cls(F, H, 2, bidirectional=True, bias=bias, **inits, **settings)
    net = reference.Network.from_config([layer.config()], seed=9)
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else [])]
    numbers = {0: 0, 1: next(inner_numbers())}
    forget = {"LSTM": 1.0}.get(kind, 0.0)
    for (level, number), reverse, (i, name) in product(numbers.items(), (False, True), enumerate(names)):
        found = net.state_dict()[f"0.{name}_l{level}{'_reverse' * reverse}"]
        features = F if level == 0 else 2 * H
        for g, part in enumerate(np.split(found, len(found) // H)):
            j = i + len(names) * reverse + 8 * g
            stream = random.stream(random.INITIALIZE, 4 * number + j % 4, j // 4)
            if name == "weight_ih":
                expected = 0.05 * random.normal(9, stream, part.size)
            elif name == "weight_hh":
                expected = np.sqrt(3 / H) * (2 * random.uniform(9, stream, part.size) - 1)
            else:
                fan_in = features if name == "bias_ih" else H
                expected = np.sqrt(2 / fan_in) * random.normal(9, stream, part.size)
                expected += forget if (name, g) == ("bias_ih", 1) else 0
            np.testing.assert_allclose(part.ravel(), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_the_start_is_orthogonal_and_remembers(kind: str) -> None:
    cls, settings = KINDS[kind]
    state = reference.Network.from_config([cls(F, H, 2, bidirectional=True, **settings).config()]).state_dict()
    for name, values in state.items():
        parts = np.split(values, len(values) // H)
        if "weight_hh" in name:
            for part in parts:
                np.testing.assert_allclose(part @ part.T, np.eye(H), rtol=0, atol=1e-14)
            assert all(not np.allclose(a, b) for a, b in pairwise(parts))
        elif "weight_ih" in name:
            bound = np.sqrt(6 / (values.shape[1] + H))
            assert 0.5 * bound < np.abs(values).max() <= bound
        else:
            for g, part in enumerate(parts):
                assert (part == (1 if kind == "LSTM" and g == 1 and "bias_ih" in name else 0)).all()


def test_the_forget_bias_is_added_to_what_is_drawn() -> None:
    layers = [nn.LSTM(F, H, bias_init="normal", forget_bias=b).config() for b in (0.0, 2.5)]
    without, with_bias = (reference.Network.from_config([config]).state_dict() for config in layers)
    added = {name: with_bias[name] - without[name] for name in without}
    np.testing.assert_allclose(added.pop("0.bias_ih_l0"), np.repeat([0, 2.5, 0, 0], H), atol=1e-15)
    assert not any(values.any() for values in added.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, F), (2, 6, F + 1), (2, F, 6, 1)])
def test_what_is_no_sequence_of_such_features_is_refused(kind: str, shape: tuple[int, ...]) -> None:
    cls, settings = KINDS[kind]
    message = rf"\[{cls.__name__.lower()}\] x has shape .* but the layer expects \(rows, steps, 4\); change input_size"
    with pytest.raises(ValueError, match=message):
        network(cls(F, H, **settings)).predict(np.ones(shape))


# ---- Embedding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding_idx", [None, 0, -1, 3])
@pytest.mark.parametrize("steps", [1, 6])
def test_an_embedding_is_pytorchs(padding_idx: int | None, steps: int) -> None:
    layer = nn.Embedding(7, 3, padding_idx=padding_idx)
    net, rng = network(layer), np.random.default_rng(4)
    x = rng.integers(0, 7, size=(N, steps))
    x[0, 0] = 0 if padding_idx is None else padding_idx % 7
    theirs = torchs(layer, net)
    y, dy = theirs(torch.from_numpy(x)), rng.normal(size=(N, steps, 3))
    y.backward(torch.from_numpy(dy))
    np.testing.assert_array_equal(net.predict(x), y.detach().numpy())
    net.forward(x, training=True)
    dx = net.backward(dy)
    assert dx.shape == x.shape
    assert not dx.any()
    assert_close(net.grads()["0.weight"], theirs[0].weight.grad, "weight")
    assert padding_idx is None or not net.grads()["0.weight"][padding_idx].any()


def test_vectors_start_from_normal_numbers_but_that_of_padding() -> None:
    plain, padded = (
        reference.Network.from_config([nn.Embedding(50, 8, padding_idx=idx).config()], seed=3).state_dict()["0.weight"]
        for idx in (None, -2)
    )
    np.testing.assert_array_equal(plain, initializers.normal((50, 8), std=1.0, seed=3, layer=0))
    assert not padded[48].any()
    np.testing.assert_array_equal(np.delete(padded, 48, axis=0), np.delete(plain, 48, axis=0))


@pytest.mark.parametrize("wrong", [7, -1, 0.5, np.inf])
def test_what_is_no_number_of_a_vector_is_refused(wrong: float) -> None:
    net = network(nn.Embedding(7, 2))
    with pytest.raises(
        ValueError, match=rf"\[embedding\] x has {wrong:g} but the layer expects whole numbers from 0 to 6"
    ):
        net.predict(np.array([[0, wrong]]))
    assert np.isnan(net.predict(np.array([[0, np.nan]]))).tolist() == [[[False] * 2, [True] * 2]]
