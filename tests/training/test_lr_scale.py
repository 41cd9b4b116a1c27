"""lr_scale: layers with rates of their own."""

import copy
import pathlib
from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import OPTIMIZERS
from internals import training_state
from loss_cases import LOSSES
from parity import assert_same_training
from small_fits import assert_same_weights
from support import assert_same_bits
from torch_twins import torch, twin

X = np.random.default_rng(1).normal(size=(40, 5))
Y = np.random.default_rng(2).normal(size=(40, 3))
LAYERS = [nn.Linear(5, 70), nn.Residual(nn.Linear(70, 70), nn.Tanh(), nn.Linear(70, 70)), nn.Linear(70, 3)]


def network(optimizer: nn.Optimizer, dtype: str = "float32", layers: Any = LAYERS, **settings: Any) -> nn.Sequential:
    model = nn.Sequential(*layers, seed=1, dtype=dtype)
    model.compile(loss="mse", optimizer=optimizer, **settings)
    return model


@pytest.fixture(autouse=True)
def _settings() -> Any:
    """Keep PyTorch's scalars to float64."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(dtype)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_100_steps_are_those_of_pytorchs_groups(rng: np.random.Generator, name: str) -> None:
    case, scales = OPTIMIZERS[name], {"0": 0.25, "2": 2.0}
    layers = [nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 3)]
    model = nn.Sequential(*layers, seed=5, dtype="float64")
    model.compile(loss="mse", optimizer=case.type(**case.settings, lr_scale=scales))
    other = twin(model)
    optimizer = case.make_torch(
        [{"params": other[i].parameters(), "lr": scales.get(str(i), 1) * case.settings["lr"]} for i in (0, 2, 4)]
    )
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng)


@pytest.mark.parametrize("name", ["sgd_momentum", "nadam", "lion_weight_decay", "rprop"])
def test_the_reference_has_it_too(name: str) -> None:
    case, scales = OPTIMIZERS[name], {"1": 0.5, "1.body.0": 2.0}
    model = network(case.type(**case.settings, lr_scale=scales), "float64")
    rule = getattr(nn.reference, case.type.__name__)(**case.settings, lr_scale=scales)
    plain = nn.reference.Network.from_model(model, "mse", rule)
    model.fit(X, Y, epochs=3, batch_size=16, verbose=0)
    plain.fit(X, Y, epochs=3, batch_size=16)
    assert_same_weights(model, plain)  # type: ignore[arg-type]


def test_the_longest_name_that_holds_a_layer_counts() -> None:
    by_group = network(nn.Adam(lr_scale={"1": 0.5, "1.body.0": 2.0, 2: 3.0}))
    one_by_one = network(nn.Adam(lr_scale={"1.body.2": 0.5, "1.body.0": 2.0, "2": 3.0}))
    for model in (by_group, one_by_one):
        model.fit(X, Y, verbose=0)
    assert_same_bits(training_state(by_group), training_state(one_by_one))


@pytest.mark.parametrize("ways", [{}, {"clip_norm": 0.5}, {"ema": 0.9}, {"accumulate": 2}], ids=str)
def test_every_way_to_take_a_step_has_the_rates(ways: dict[str, Any]) -> None:
    """A factor of 1/2 is what half of the rate gives, bit by bit, in tiny networks too."""
    for layers in (LAYERS, [nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)]):
        scaled = network(nn.SGD(lr=0.1, lr_scale={"0": 0.5, "2": 0.5}), layers=layers, **ways)
        slower = network(nn.SGD(lr=0.05), layers=layers, **ways)
        for model in (scaled, slower):
            model.freeze(*["1"] if layers is LAYERS else [])
            model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
            model.loss_and_grads(X, Y)
            model.step()
        assert_same_bits(training_state(scaled), training_state(slower))


def test_0_keeps_a_layer_but_not_its_sums() -> None:
    model = network(nn.AdamW(lr_scale={"0": 0}))
    before = model.state_dict()
    model.fit(X, Y, verbose=0)
    after, state = model.state_dict(), training_state(model)
    assert_same_bits(after["0.weight"], before["0.weight"])
    assert (after["2.weight"] != before["2.weight"]).any()
    assert (state["optimizer.0.weight.0"] != 0).any()


@pytest.mark.parametrize("way", ["file", "copy"])
def test_files_and_copies_keep_it(way: str, tmp_path: pathlib.Path) -> None:
    model = network(nn.Adam(lr_scale={"0": 0.5, "1.body.0": 0.0}))
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m")
    again = nn.load(tmp_path / "m") if way == "file" else copy.deepcopy(model)
    assert again.optimizer == model.optimizer
    for net in (model, again):
        net.fit(X, Y, verbose=0)
        net.freeze("0")
        net.fit(X, Y, verbose=0)
        net.unfreeze("0")
        net.fit(X, Y, verbose=0)
    assert_same_bits(training_state(again), training_state(model))


def test_layers_that_are_not_there_are_refused() -> None:
    model = network(nn.SGD())
    before = training_state(model)
    with pytest.raises(ValueError, match=r"\[compile\] unknown layer of lr_scale '1.body.1'; .*0, 1, 1.body, 1.body.0"):
        model.compile("mse", nn.SGD(lr_scale={"1.body.1": 0.5}))
    assert model.optimizer == nn.SGD()
    assert_same_bits(training_state(model), before)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (0.5, TypeError, r"lr_scale is 0.5; give a dict by names, for example {\"0\": 0.1}"),
        ({"0": -1}, ValueError, r"lr_scale\['0'\] is -1; give a finite number in \[0, inf\]"),
        ({"0": nn.Cosine(1, 2)}, TypeError, r"lr_scale\['0'\] is .*; give a number"),
        ({True: 1}, TypeError, r"lr_scale is {True: 1}; give a dict by names"),
    ],
)
def test_what_is_no_factor_is_refused(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"\[SGD\] {message}"):
        nn.SGD(lr_scale=given)


def test_it_cannot_be_changed_unseen() -> None:
    given = {"0": 0.5}
    optimizer: Any = nn.SGD(lr_scale=given)
    given["0"] = 2.0
    optimizer.config()["lr_scale"]["0"] = 3.0
    assert optimizer == nn.SGD(lr_scale={0: 0.5})
    with pytest.raises(TypeError):
        optimizer.lr_scale["0"] = 2.0
    with pytest.raises(AttributeError, match="lr_scale cannot be set"):
        optimizer.lr_scale = {"0": 2.0}
