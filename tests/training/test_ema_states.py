"""Averages are part of a training's state: it goes back with them, and goes on from copies and files."""

import copy
import pathlib
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import internals
import nnext as nn
from averaging import Array, X, build, fit, trained
from forged import refused, signed, write
from internals import training_state
from pins import labels, uniform
from support import assert_same_bits, model_metadata


@pytest.mark.parametrize("network", ["tiny", "layered", "columns"])
@pytest.mark.parametrize("lr", [3.0, 1e18])
def test_divergence_takes_averages_back_too(isa: str, network: str, lr: float) -> None:
    targets = 10 * uniform(3, 230, 10)
    model, twin = (build(network, loss="mse", optimizer=nn.SGD(lr=lr, momentum=0.9)) for _ in range(2))
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(X, targets, epochs=200, batch_size=64, verbose=0)
    last: list[dict[str, Any]] = []
    for _ in range(caught.value.epoch + 1):
        order = internals.begin_epoch(twin, len(X), True)
        for step in range(4):
            rows = order[64 * step : 64 * step + 64]
            last = [*last[-1:], training_state(twin)]
            if not np.isfinite(twin.loss_and_grads(X[rows], targets[rows])[0]):
                return assert_same_bits(training_state(model), last[0])
            twin.step()
    raise AssertionError("it did not diverge here")


def by_file(model: nn.Sequential, folder: pathlib.Path) -> nn.Sequential:
    model.save(folder / "model")
    return nn.load(folder / "model")


WAYS: dict[str, Callable[[nn.Sequential, pathlib.Path], nn.Sequential]] = {
    "file": by_file,
    "copy": lambda model, _: copy.copy(model),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", ["tiny", "statistics"])
@pytest.mark.parametrize("when", ["before", "on the way", "frozen", "anew"])
def test_a_twin_goes_on_with_the_same_bits(network: str, when: str, way: str, tmp_path: pathlib.Path) -> None:
    model = build(network)
    if when != "before":
        fit(model, epochs=2)
    if when == "frozen":
        model.freeze("0")
        fit(model)
    if when == "anew":
        model.load_state_dict(model.state_dict())
    twin = WAYS[way](model, tmp_path)
    for _ in range(2):
        assert_same_bits(training_state(twin), training_state(model))
        assert_same_bits(twin.predict(X), model.predict(X))
        assert fit(model) == fit(twin)


def test_a_file_has_averages_under_the_names_of_parameters(tmp_path: pathlib.Path) -> None:
    model = build("statistics")
    fit(model, epochs=2)
    model.save(tmp_path / "model")
    tensors, shown = load_file(tmp_path / "model"), model.state_dict()
    assert_same_bits({name: tensors[name] for name in shown}, shown)
    parameters = {name: values for name, values in trained(model).items() if name in internals.averages(model)}
    assert_same_bits({name: tensors[f"training.{name}"] for name in parameters}, parameters)
    assert len(tensors) == len(shown) + len(parameters) + 2 * len(parameters)  # Adam's sums


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda t, d: t.pop("training.0.bias"), r"it lacks the tensors \['training.0.bias'\]"),
        (
            lambda t, d: t.update({"training.1.running_mean": t["1.running_mean"]}),
            r"unknown \['training.1.running_mean'",
        ),
        (lambda t, d: t.update({"training.0.bias": t["0.weight"]}), "tensor training.0.bias is float32 of shape"),
        (lambda t, d: t.update({"training.0.bias": np.inf * t["0.bias"]}), "of training.0.bias are NaN or infinite"),
        (lambda t, d: d.update({"ema": None}), r"has the unknown \['training.0.bias', "),
    ],
)
def test_files_whose_averages_do_not_fit_are_refused(
    tmp_path: pathlib.Path, alter: Callable[[dict[str, Array], dict[str, Any]], None], message: str
) -> None:
    model, path = build("statistics"), tmp_path / "model"
    fit(model)
    model.save(path)
    tensors, description = load_file(path), model_metadata(path)
    alter(tensors, description)
    write(path, signed(description, tensors), tensors)
    refused(path, message)


def test_without_its_loss_a_file_predicts_as_it_did(tmp_path: pathlib.Path) -> None:
    model = build("layered", loss=lambda p, t: (float(((p - t) ** 2).mean()), 2 * (p - t) / p.size))
    model.fit(X, uniform(3, 230, 10), verbose=0)
    with pytest.warns(UserWarning, match="your own functions"):
        model.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="not compiled"):
        twin = nn.load(tmp_path / "model")
    assert_same_bits(twin.state_dict(), model.state_dict())
    assert_same_bits(twin.predict(X), model.predict(X))


def test_early_stopping_gives_back_the_best_averages_and_what_they_are_of() -> None:
    model, states = build("statistics", optimizer=nn.Adam(lr=0.05)), []
    keep = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: states.append((trained(model), model.state_dict())))
    stop = nn.EarlyStopping(patience=4)
    history = fit(model, epochs=60, validation_data=(X[:60], labels(9, 60, 10)), callbacks=[keep, stop])
    assert stop.stopped_epoch is not None
    best, shown = states[stop.best_epoch or 0]
    assert_same_bits(trained(model), best)
    assert_same_bits(model.state_dict(), shown)
    assert model.evaluate(X[:60], labels(9, 60, 10))["loss"] == min(history["val_loss"])
    fit(model)
