"""RNN, GRU, LSTM and Embedding: what they take and refuse, beyond what all layers go through in test_layers.py."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from layer_cases import LAYERS
from nnext import reference
from tolerance import assert_within, eps

KINDS = [nn.RNN, nn.GRU, nn.LSTM]


@pytest.mark.parametrize("kind", KINDS)
def test_initializers_are_the_defaults_where_none_is_given(kind: Any) -> None:
    layer = kind(3, 4, weight_init=None, recurrent_init=None, bias_init=None)
    assert layer == kind(3, 4) == kind(3, 4, 1, weight_init="glorot_uniform", recurrent_init="orthogonal")
    assert repr(kind(3, 4, 2, recurrent_init="lecun_normal")) == (
        f"{kind.__name__}(3, 4, num_layers=2, recurrent_init=lecun_normal())"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_evaluates_drops_nothing_and_is_the_same_else(kind: Any) -> None:
    settings = {"bidirectional": True, "return_sequences": True, "bias_init": "ones"}
    assert kind(3, 4, 2, dropout=0.3, **settings).evaluating() == kind(3, 4, 2, **settings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dropout": 0.2}, "dropout is 0.2 but num_layers is 1, and it acts between layers; leave it out, give num_l"),
        ({"dropout": 1, "num_layers": 2}, r"dropout is 1; give a finite number in \[0, 1\)"),
        ({"bias": False, "bias_init": "ones"}, r"bias_init is ones\(\) but bias is False; leave bias_init out, or"),
        ({"bias_init": "orthogonal"}, "bias_init is 'orthogonal', which is for weights; use 'zeros' or 'uniform'"),
        ({"hidden_size": 0}, "hidden_size is 0; give a whole number from 1"),
        ({"num_layers": 0}, "num_layers is 0; give a whole number from 1"),
        ({"recurrent_init": "identity"}, "unknown recurrent_init 'identity'; "),
    ],
)
def test_what_nothing_would_act_on_is_refused(kind: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=rf"^\[{kind.__name__}\] {message}"):
        kind(**{"input_size": 3, "hidden_size": 4} | settings)


def test_settings_of_one_kind_are_those_of_no_other() -> None:
    with pytest.raises(ValueError, match=r"\[RNN\] unknown nonlinearity 'gelu'; use one of tanh, relu"):
        nn.RNN(3, 4, nonlinearity="gelu")
    for kind in (nn.GRU, nn.LSTM):
        with pytest.raises(TypeError, match=r"unknown argument 'nonlinearity'"):
            kind(3, 4, nonlinearity="tanh")  # type: ignore[call-arg]
    for other in (nn.RNN, nn.GRU):
        with pytest.raises(TypeError, match=r"unknown argument 'forget_bias'"):
            other(3, 4, forget_bias=1.0)  # type: ignore[call-arg]
    for kind in KINDS:
        with pytest.raises(TypeError, match=r"takes input_size, hidden_size, num_layers by position but got 4"):
            kind(3, 4, 1, True)


def test_a_forget_bias_needs_a_bias() -> None:
    with pytest.raises(ValueError, match=r"\[LSTM\] forget_bias is 2.0 but bias is False; leave forget_bias out, or"):
        nn.LSTM(3, 4, bias=False, forget_bias=2)
    with pytest.raises(ValueError, match=r"\[LSTM\] bias_init is ones\(\) but bias is False"):
        nn.LSTM(3, 4, bias=False, bias_init="ones")
    assert nn.LSTM(3, 4, bias=False, forget_bias=0).forget_bias == 0
    assert nn.LSTM(3, 4, forget_bias=-1).forget_bias == -1


@pytest.mark.parametrize(("given", "kept"), [(None, None), (0, 0), (6, 6), (-1, 6), (-7, 0)])
def test_a_padding_idx_is_counted_from_the_start(given: int | None, kept: int | None) -> None:
    layer = nn.Embedding(7, 3, padding_idx=given)
    assert layer.padding_idx == kept
    assert layer == nn.Embedding(7, 3, padding_idx=kept)
    assert layer.config()["padding_idx"] == kept


@pytest.mark.parametrize("wrong", [7, -8])
def test_a_padding_idx_of_no_vector_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=rf"\[Embedding\] padding_idx is {wrong} but num_embeddings is 7; give"):
        nn.Embedding(7, 3, padding_idx=wrong)


# ---- In the core ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        *(case.layer for case in LAYERS.values() if isinstance(case.layer, nn.RNN | nn.GRU | nn.LSTM | nn.Embedding)),
        nn.GRU(5, 3, 2, weight_init="he_normal", recurrent_init="lecun_uniform", bias_init="glorot_normal"),
        nn.LSTM(5, 3, 3, dropout=0.5, bidirectional=True, bias_init="fan_in_uniform", forget_bias=2.5),
        nn.LSTM(5, 3, 2, bidirectional=True, bias=False, recurrent_init="glorot_uniform"),
        nn.RNN(2, 20, weight_init="orthogonal", bias_init="truncated_normal"),
        nn.Embedding(9, 4, padding_idx=-1, weight_init="glorot_normal"),
    ],
    ids=repr,
)
def test_first_weights_are_the_references(layer: nn.Layer, dtype: str) -> None:
    """Also where a layer before it holds others, which are numbered before its levels."""
    layers = [nn.Residual(nn.Identity()), layer]
    state = nn.Sequential(*layers, seed=2**63 + 9, dtype=dtype).state_dict()
    twin = reference.Network.from_config([each.config() for each in layers], seed=2**63 + 9).state_dict()
    assert list(state) == list(twin)
    for name, expected in twin.items():
        assert_within(state[name], expected, np.abs(expected) * eps(dtype) + 1000 * eps("float64"))
