"""Residual: branches, names, freezing, and what it is the same as."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from nnext import reference
from support import assert_same_bits, unchanged

X = np.random.default_rng(1).normal(size=(12, 4))
Y = np.random.default_rng(2).normal(size=(12, 3))


def nested(**settings: Any) -> nn.Sequential:
    inner = nn.Residual(nn.Linear(5, 5), nn.BatchNorm1d(5), shortcut=[nn.Linear(5, 5), nn.Dropout(0.2)])
    block = nn.Residual(nn.Linear(4, 5), nn.Dropout(0.5), inner, shortcut=nn.Linear(4, 5))
    model = nn.Sequential(nn.Tanh(), block, nn.Linear(5, 3), seed=3, **settings)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
    return model


def test_names_are_paths() -> None:
    names = [name for name in nested().state_dict() if name.endswith("weight")]
    assert names == [
        "1.body.0.weight",
        "1.body.2.body.0.weight",
        "1.body.2.body.1.weight",
        "1.body.2.shortcut.0.weight",
        "1.shortcut.0.weight",
        "2.weight",
    ]


def test_the_configuration_has_lists(dtype: str) -> None:
    assert nn.Residual(nn.ReLU()).config() == {"type": "Residual", "body": [{"type": "ReLU"}], "shortcut": []}
    for shortcut in (nn.Tanh(), [nn.Tanh()], (nn.Tanh(),), "tanh"):
        layer = nn.Residual(nn.ReLU(), shortcut=shortcut)  # type: ignore[arg-type]
        assert layer.config()["shortcut"] == [{"type": "Tanh"}]
        assert repr(layer) == "Residual(ReLU(), shortcut=(Tanh(),))"
    assert nn.Residual(nn.ReLU(), shortcut=[]) == nn.Residual(nn.ReLU()) == nn.Residual(nn.ReLU(), shortcut=None)
    model = nested(dtype=dtype)
    again = nn.Sequential(*(nn.Layer.from_config(layer.config()) for layer in model.layers), seed=3, dtype=dtype)
    assert_same_bits(again.state_dict(), model.state_dict())


def test_dropout_and_start_values_have_random_numbers_of_their_own() -> None:
    model = nested(dtype="float64")
    twin = reference.Network.from_config([layer.config() for layer in model.layers], seed=3)
    assert_same_bits(model.state_dict(), twin.state_dict())
    weights = [values for name, values in model.state_dict().items() if values.shape == (5, 5)]
    assert (weights[0] != weights[1]).all()
    drop = nn.Residual(nn.Dropout(0.5), nn.Dropout(0.5), shortcut=nn.Dropout(0.5))
    ones = np.ones((40, 50))
    y = nn.Sequential(nn.Identity(), drop, seed=9, dtype="float64").forward(ones)
    masks = [reference.random.dropout_mask(ones.shape, 0.5, 9, (1 << 13) + i, 0) for i in range(3)]
    assert_same_bits(y, masks[0] * masks[1] + masks[2])


@pytest.mark.parametrize(
    ("names", "frozen"),
    [
        (["1"], {"1.body.0", "1.body.2.body.0", "1.body.2.body.1", "1.body.2.shortcut.0", "1.shortcut.0"}),
        (["1.body.2"], {"1.body.2.body.0", "1.body.2.body.1", "1.body.2.shortcut.0"}),
        (["1.body.0"], {"1.body.0"}),
        (["1.body.2.body"], {"1.body.2.body.0", "1.body.2.body.1"}),
        (["1.shortcut"], {"1.shortcut.0"}),
        (["1.shortcut.0", "2"], {"1.shortcut.0", "2"}),
    ],
)
def test_freezing_one_layer_or_all_within(names: list[str], frozen: set[str]) -> None:
    model = nested()
    model.freeze(*names)
    assert internals.frozen(model) == frozen
    before = model.state_dict()
    model.fit(X, Y, epochs=2, batch_size=4, verbose=0)
    for name, values in model.state_dict().items():
        stays = name.rpartition(".")[0] in frozen
        assert (values == before[name]).all() == stays
    model.unfreeze(*names)
    assert internals.frozen(model) == set()


@pytest.mark.parametrize("name", ["1.body.1", "1.bod", "0", "1.shortcut.1", "1.body.0.weigh"])
def test_only_layers_with_parameters_can_be_frozen(name: str) -> None:
    model = nested()
    with (
        unchanged(model),
        pytest.raises(ValueError, match=rf"unknown layer '{name}'; use one of 1, 1.body, 1.body.0"),
    ):
        model.freeze("1", name)


def test_a_body_of_zeros_changes_nothing(isa: str, dtype: str) -> None:
    layers = [nn.Linear(4, 6), nn.Sigmoid(), nn.Linear(6, 3)]
    block = nn.Residual(nn.Linear(6, 6, weight_init="zeros", bias_init="zeros"), nn.Tanh())
    plain = nn.Sequential(*layers, dtype=dtype, seed=5)
    model = nn.Sequential(*layers[:2], block, layers[2], dtype=dtype, seed=5)
    state = plain.state_dict()
    moved = {name.replace("2.", "3.", 1): values for name, values in state.items()}
    model.load_state_dict(moved, strict=False)
    assert_same_bits(model.predict(X), plain.predict(X))
    assert_same_bits(model.forward(X), plain.forward(X))


@pytest.mark.parametrize(
    "block",
    [
        nn.Residual(nn.Identity()),
        nn.Residual(nn.Flatten()),
        nn.Residual(nn.Dropout(0.0)),
        nn.Residual(nn.Flatten(), shortcut=[nn.Flatten(), nn.Flatten()]),
    ],
)
def test_branches_that_do_nothing_double(block: nn.Layer, isa: str, dtype: str) -> None:
    for layers in ([block], [nn.Identity(), block, nn.Identity()], [block, block]):
        model = nn.Sequential(*layers, dtype=dtype)
        x = X.astype(dtype)
        times = 2 ** layers.count(block)
        assert_same_bits(model.predict(x), times * x)
        assert_same_bits(model.forward(x), times * x)
        assert_same_bits(model.backward(x), times * x)
        assert_same_bits(x, X.astype(dtype))  # nobody has added into the caller's array


def test_one_row_alone_has_the_bits_that_it_has_among_others(isa: str, dtype: str) -> None:
    model = nested(dtype=dtype)
    model.fit(X, Y, batch_size=6, verbose=0)
    predictor, expected = model.compile_inference(), model.predict(X)
    for i in range(len(X)):
        assert_same_bits(model.predict(X[i : i + 1])[0], expected[i])
        assert_same_bits(predictor(X[i].astype(dtype)), expected[i])


def test_a_loss_of_ones_own_and_metrics_see_its_outputs() -> None:
    model, twin = nested(dtype="float64"), nested(dtype="float64")
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.1), metrics=["mse"], clip_norm=0.1)
    twin.compile(
        loss=lambda p, t: (float(((p - t) ** 2).mean()), 2 * (p - t) / p.size), optimizer=nn.SGD(lr=0.1), clip_norm=0.1
    )
    history = [net.fit(X, Y, epochs=3, batch_size=4, verbose=0).history for net in (model, twin)]
    np.testing.assert_allclose(history[0]["loss"], history[1]["loss"], rtol=1e-12)
    np.testing.assert_allclose(history[0]["mse"], history[0]["loss"], rtol=1e-12)
    for name, values in training_state(model).items():
        np.testing.assert_allclose(training_state(twin)[name], values, rtol=1e-9, atol=1e-12)
