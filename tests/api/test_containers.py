"""A model as a sequence of layers: what it is made of, and what can be taken from it."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits

X = np.linspace(-1, 1, 6).reshape(3, 2)
LAYERS = (nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))


@pytest.fixture
def model() -> nn.Sequential:
    return nn.Sequential(*LAYERS)


@pytest.mark.parametrize(
    "layers",
    [
        [list(LAYERS)],
        [LAYERS],
        [LAYERS[0], nn.ReLU, LAYERS[2]],
        [LAYERS[0], "relu", LAYERS[2]],
        [[LAYERS[0], "ReLU", LAYERS[2]]],
    ],
)
def test_layers_can_be_given_in_a_list_by_class_and_by_name(layers: Any, model: nn.Sequential) -> None:
    made = nn.Sequential(*layers)
    assert made.layers == LAYERS
    assert_same_bits(made.state_dict(), model.state_dict())
    assert nn.Residual(*layers) == nn.Residual(*LAYERS)


def test_every_layer_without_required_arguments_can_be_given_by_class_and_name() -> None:
    ready = {nn.AlphaDropout, nn.Dropout, nn.Flatten, nn.PReLU, *nn.Layer.names().values()}
    ready |= {nn.GlobalAvgPool1d, nn.GlobalAvgPool2d, nn.GlobalMaxPool1d}
    for layer in ready:
        assert nn.Sequential(layer).layers == nn.Sequential(layer.__name__).layers == (layer(),)
    for layer in set(nn.Layer.types().values()) - ready:
        with pytest.raises(
            (TypeError, ValueError), match=rf"write {layer.__name__}\(|there are no layers; give|branches is 0; give"
        ):
            nn.Sequential(layer)
        with pytest.raises(ValueError, match=rf"\[Sequential\] unknown layers\[0\] '{layer.__name__}'"):
            nn.Sequential(layer.__name__)


def test_a_model_is_a_sequence_of_its_layers(model: nn.Sequential) -> None:
    assert len(model) == 3
    assert tuple(model) == tuple(model[i] for i in range(3)) == tuple(model[i] for i in (-3, -2, -1)) == LAYERS
    assert model[np.int64(1)] is model.layers[1]
    assert list(reversed(model)) == list(LAYERS[::-1])
    assert nn.ReLU() in model
    assert nn.Tanh() not in model
    assert nn.Sequential(*model, nn.Tanh()).layers == (*LAYERS, nn.Tanh())
    assert bool(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize("place", [3, -4, 2**70])
def test_a_layer_that_is_not_there_is_an_index_error(model: nn.Sequential, place: int) -> None:
    with pytest.raises(IndexError, match=rf"\[model\] there is no layer {place}; the model has 3, numbered from 0"):
        model[place]


@pytest.mark.parametrize("place", ["0", 1.0, True, None, nn.ReLU()])
def test_a_place_is_a_whole_number(model: nn.Sequential, place: Any) -> None:
    with pytest.raises(
        TypeError, match=r"\[model\] .* is no place of a layer; give a whole number, or use model.layers"
    ):
        model[place]


def test_calling_a_model_predicts(model: nn.Sequential, dtype: str) -> None:
    for made in (model, nn.MLP([2, 4, 1], dtype=dtype)):
        assert_same_bits(made(X), made.predict(X))
        assert_same_bits(made(X=X.tolist()), made.predict(X))
    with pytest.raises(TypeError, match=r"unknown argument 'training'; use model.forward\(X, training=True\)"):
        model(X, training=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'X'"):
        model()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (nn.Sequential(nn.ReLU()), "Sequential(ReLU())"),
        (nn.Sequential(nn.ReLU(), seed=3), "Sequential(ReLU(), seed=3)"),
        (nn.Sequential(nn.ReLU(), dtype="float64"), "Sequential(ReLU(), dtype='float64')"),
        (nn.MLP([2, 3, 1], "gelu", 0.1), "Sequential(Linear(2, 3), GELU(), Dropout(p=0.1), Linear(3, 1))"),
        (
            nn.Sequential(nn.Residual(nn.Linear(2, 2, bias=False), shortcut=nn.Dropout())),
            "Sequential(Residual(Linear(2, 2, bias=False), shortcut=(Dropout(),)))",
        ),
    ],
)
def test_a_model_shows_the_call_that_makes_it_again(made: nn.Sequential, text: str) -> None:
    assert repr(made) == text
    again = eval(text, vars(nn))  # our own text
    assert_same_bits(again.state_dict(), made.state_dict())


def test_a_class_of_the_users_shows_its_name() -> None:
    class Net(nn.MLP):
        pass

    assert repr(Net([2, 1], seed=1)) == "Net(Linear(2, 1), seed=1)"


@pytest.mark.parametrize("within", [lambda layers: [nn.Residual(*layers)], lambda layers: layers])
def test_layers_that_would_share_random_numbers_are_refused(within: Any) -> None:
    nn.Sequential(*within([nn.ReLU()] * 8192))
    with pytest.raises(ValueError, match=r"^\[network\] layer (0\.body\.)?8192 is one too many: .* give fewer"):
        nn.Sequential(*within([nn.ReLU()] * 8193))
