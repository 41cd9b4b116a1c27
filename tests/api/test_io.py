"""Model files: what comes back, and what save refuses."""

import dataclasses
import io
import pathlib
from math import prod
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

import internals
import nnext as nn
from cases import OPTIMIZERS
from internals import training_state
from layer_cases import LAYERS
from loss_cases import LOSSES, LossCase
from support import assert_same_bits, model_metadata

X, Y = np.linspace(-1, 1, 20).reshape(4, 5), np.array([0, 1, 1, 0])


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Name a file that is not there."""
    return tmp_path / "m.safetensors"


def trained(optimizer: Any = "adam", dtype: str = "float32", **settings: Any) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 2), seed=2**64 - 1, dtype=dtype)
    model.compile(**{"loss": "cross_entropy", "optimizer": optimizer, "metrics": ["accuracy"], **settings})
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    return model


# ---- Round trip -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_model_comes_back_with_its_training(path: pathlib.Path, dtype: str, optimizer: str) -> None:
    model = trained(OPTIMIZERS[optimizer].make(), dtype)
    model.freeze("0")
    model.save(path)
    again = nn.load(path)
    assert repr(again) == repr(model)
    assert repr(again.optimizer) == repr(model.optimizer)
    assert_same_bits(training_state(again), training_state(model))
    assert_same_bits(again.predict(X), model.predict(X))
    assert again.evaluate(X, Y) == model.evaluate(X, Y)
    for net in (model, again):
        net.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    assert_same_bits(training_state(again), training_state(model))
    assert again.history.history == model.history.history


def test_every_layer_and_setting_comes_back(path: pathlib.Path) -> None:
    for case in LAYERS.values():
        model = nn.Sequential(case.layer, seed=1)
        model.save(path)
        again = nn.load(str(path))
        assert again.layers == model.layers
        samples = case.suitable(np.linspace(-1, 1, 2 * prod(case.shape)).reshape(2, *case.shape))
        assert_same_bits(again.predict(samples), model.predict(samples))
        assert again.optimizer is None
    layer = nn.Linear(2, 2, weight_init=nn.initializers.uniform(-3, 2), bias_init="zeros")
    nn.Sequential(layer).save(path)
    assert nn.load(path).layers == (layer,)


@pytest.mark.parametrize("case", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("last", [nn.Sigmoid(), nn.Softmax(), nn.LeakyReLU()])
def test_losses_and_metrics_come_back(path: pathlib.Path, case: LossCase, last: nn.Layer) -> None:
    model, loss = nn.Sequential(nn.Linear(5, 2), last), case.name
    metrics = ["mse"] if case.is_mean else {"mine": "f1", "accuracy": "accuracy"}
    try:
        model.compile(loss=case.make(), optimizer=nn.SGD(lr=0.5), metrics=metrics)
    except ValueError:
        pytest.skip("the loss does not fit the layer")
    model.save(path)
    again = nn.load(path)
    targets = Y if loss == "cross_entropy" else np.eye(2)[Y] + (loss == "gamma")
    assert again.evaluate(X, targets) == model.evaluate(X, targets)
    assert again.loss_and_grads(X, targets)[0] == model.loss_and_grads(X, targets)[0]
    if model.decision.kind != "numbers":
        assert_same_bits(again.predict_classes(X), model.predict_classes(X))


def test_statistics_frozen_layers_and_clipping_come_back(path: pathlib.Path) -> None:
    block = nn.Residual(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Residual(nn.GELU(), nn.Linear(6, 6)))
    model = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6, momentum=None), block, nn.Linear(6, 2), seed=3)
    model.compile(loss="cross_entropy", optimizer=nn.NAdam(momentum_decay=0.1), clip_norm=0.25, clip_value=0.1)
    model.fit(X, Y, epochs=3, batch_size=2, verbose=0)
    model.freeze("1", "2.body.2")
    model.save(path)
    again = nn.load(path)
    assert internals.settings(again)["clip_norm"] == 0.25
    assert internals.settings(again)["clip_value"] == 0.1
    assert internals.frozen(again) == internals.frozen(model) == {"1", "2.body.2.body.1"}
    for net in (model, again):
        net.fit(X, Y, epochs=2, batch_size=2, verbose=0)
    assert_same_bits(training_state(again), training_state(model))
    assert load_file(path)["1.num_batches_tracked"].shape == ()
    products = {round(product, 12) for _, product in model_metadata(path)["progress"].values()}
    assert len(products) == 1  # of NAdam's momenta in 6 steps
    assert products.pop() == round(np.prod([0.9 * (1 - 0.5 * 0.96 ** (0.1 * t)) for t in range(1, 7)]), 12)


def test_layers_within_layers_come_back_as_deep_as_a_network_takes_them(path: pathlib.Path) -> None:
    layer: nn.Layer = nn.Linear(2, 2)
    for _ in range(98):
        layer = nn.Residual(layer)
    nn.Sequential(layer).save(path)
    assert nn.load(path).layers == (layer,)


def test_the_file_is_safetensors_with_pytorchs_names(path: pathlib.Path) -> None:
    model = trained(nn.SGD(momentum=0.9), "float64")
    model.save(path)
    tensors = load_file(path)
    for name, values in model.state_dict().items():
        assert_same_bits(tensors.pop(name), values)
    assert sorted(tensors) == sorted(f"optimizer.{name}.0" for name in model.state_dict())
    description = model_metadata(path)
    assert description["format_version"] == 2
    assert description["layers"][0]["type"] == "Linear"
    assert description["seed"] == 2**64 - 1
    assert (*description["counters"], description["progress"]["0.weight"][0]) == internals.counters(model)


def test_the_bytes_are_those_that_the_library_of_safetensors_writes(path: pathlib.Path, dtype: str) -> None:
    block = nn.Residual(nn.Linear(6, 6), nn.BatchNorm1d(6, momentum=None))  # with an array of no dimensions
    model = nn.Sequential(nn.Linear(5, 6), block, nn.Linear(6, 2, bias=False), dtype=dtype)
    model.compile("cross_entropy", "adam", metrics={'a "name" of \u00fc and \\': "accuracy"})
    model.fit(X, Y, verbose=0)
    model.save(path)
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    assert list(metadata) == ["nnext"]
    assert path.read_bytes() == save(load_file(path), metadata)


# ---- States that no file may hold -----------------------------------------------------------------------------------


def break_tensor(model: nn.Sequential, name: str, value: float) -> None:
    """Put a value into a tensor or a running sum."""
    state = model.engine.state()
    arrays = {**state.tensors, **{f"optimizer.{path}.{i}": array for path, sums in state.optimizer.items()
                                  for i, array in enumerate(sums)}}  # fmt: skip
    arrays[name].flat[-1] = value
    model.engine.set_state(state)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["0.bias", "1.running_var", "optimizer.0.bias.1"])
def test_a_state_without_a_future_is_refused_and_the_old_file_stays(
    path: pathlib.Path, name: str, value: float
) -> None:
    model = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))
    model.compile("cross_entropy", "adam")
    model.save(path)
    before = path.read_bytes()
    break_tensor(model, name, value)
    with pytest.raises(ValueError, match=rf"\[save\] 1 of the 6 values of {name} are NaN or infinite, .*; give finite"):
        model.save(path)
    assert path.read_bytes() == before
    file = io.BytesIO()
    with pytest.raises(ValueError, match=r"\[save\] 1 of the 6"):
        model.save(file)
    assert file.getvalue() == b""


@pytest.mark.parametrize("product", [np.nan, np.inf, -1.0])
def test_a_progress_that_no_training_can_have_is_refused(path: pathlib.Path, product: float) -> None:
    model = trained("nadam")
    state = model.engine.state()
    progress = {name: (steps, product) for name, (steps, _) in state.progress.items()}
    model.engine.set_state(dataclasses.replace(state, progress=progress))
    with pytest.raises(ValueError, match=r"\[save\] no file can hold the model: .*progress of 0.weight is "):
        model.save(path)
    assert not path.exists()


def test_zeros_have_their_signs_and_small_numbers_all_their_bits(path: pathlib.Path, dtype: str) -> None:
    model = nn.Sequential(nn.Linear(4, 1, bias=False), dtype=dtype)
    tiny = np.finfo(dtype).smallest_subnormal
    model.load_state_dict({"0.weight": np.array([[-0.0, 0.0, tiny, -3 * tiny]], dtype)})
    model.save(path)
    assert_same_bits(nn.load(path).state_dict(), model.state_dict())
