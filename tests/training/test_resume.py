"""fit(resume_from=path): a training that was saved goes on, as if it had never stopped."""

import io
import pathlib
import re
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import position, training_state
from scheduled import RATE
from support import assert_same_bits, unchanged

LAYERS = [nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.2), nn.Linear(4, 2)]


def network(layers: list[nn.Layer] = LAYERS, seed: int = 5, dtype: str = "float32", **compiled: Any) -> nn.Sequential:
    model = nn.Sequential(*layers, seed=seed, dtype=dtype)
    model.compile(**{"loss": "cross_entropy", "optimizer": nn.Adam(lr=RATE), "ema": 0.9, **compiled})
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    return {"X": rng.normal(size=(20, 3)), "y": rng.integers(2, size=20), "batch_size": 8, "verbose": 0}


@pytest.fixture
def path(data: dict[str, Any], tmp_path: pathlib.Path) -> pathlib.Path:
    """Save the state after two epochs, and go on for another."""
    checkpoint = nn.ModelCheckpoint(tmp_path / "{epoch}.safetensors")
    network().fit(**data, epochs=3, validation_split=0.2, callbacks=checkpoint)
    return tmp_path / "2.safetensors"


def test_the_bits_are_those_of_a_training_that_never_stopped(data: dict[str, Any], path: pathlib.Path) -> None:
    model, twin, begun = network(metrics=["accuracy"]), network(), list[int]()
    expected = twin.fit(**data, epochs=5, validation_split=0.2)
    watch = nn.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    history = model.fit(**data, epochs=5, validation_split=0.2, resume_from=path, callbacks=watch)
    assert history.epoch == begun == [2, 3, 4]
    assert history["val_loss"] == expected["val_loss"][2:]
    assert position(model) == (5, 0, 0)
    assert_same_bits(training_state(model), training_state(twin))


def test_a_model_that_was_trained_goes_back_to_the_file(data: dict[str, Any], path: pathlib.Path) -> None:
    model, twin = network(), nn.load(path)
    model.fit(**data, epochs=7)
    model.optimizer.lr = 0.1  # type: ignore[union-attr]
    model.fit(**data, epochs=4, resume_from=io.BytesIO(path.read_bytes()))
    twin.fit(**data, epochs=2)
    assert model.optimizer == twin.optimizer == nn.Adam(lr=RATE)
    assert_same_bits(training_state(model), training_state(twin))


def test_batches_and_own_losses_go_on_too(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    def loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        return float(((y_pred - np.eye(2)[y]) ** 2).mean()), 2 * (y_pred - np.eye(2)[y]) / y_pred.size

    given = [(data["X"][i : i + 8], data["y"][i : i + 8]) for i in range(0, 20, 8)]
    model, twin = network(loss=loss), network(loss=loss)
    twin.fit(given, epochs=2, verbose=0)
    with pytest.warns(UserWarning, match="own functions"):
        twin.save(tmp_path / "m")
    assert model.fit(given, epochs=5, resume_from=tmp_path / "m", verbose=0).epoch == [2, 3, 4]
    twin.fit(given, epochs=3, verbose=0)
    assert_same_bits(training_state(model), training_state(twin))


def test_an_epoch_that_was_cut_off_is_not_counted(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    model = network()
    model.fit(**data, epochs=2)
    for _ in range(2):
        model.train_on_batch(data["X"], data["y"], steps_per_epoch=3)
    model.save(tmp_path / "m")
    again = network()
    assert again.fit(**data, epochs=4, resume_from=tmp_path / "m").epoch == [2, 3]
    assert position(again) == (2 + 2 / 3 + 2, 0, 0)


@pytest.mark.parametrize("epochs", [1, 2])
def test_where_all_epochs_are_done_there_is_nothing_to_do(
    data: dict[str, Any], path: pathlib.Path, epochs: int
) -> None:
    model = network()
    history = model.fit(**data, epochs=epochs, resume_from=path)
    assert (history.epoch, history.stop_reason) == ([], "all epochs done")
    assert_same_bits(training_state(model), training_state(nn.load(path)))


def test_names_of_classes_are_those_of_the_file(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    names = np.array(["cat", "dog"])[data["y"]]
    model = network()
    model.fit(**{**data, "y": names}, epochs=1)
    model.save(tmp_path / "m")
    again = network()
    again.fit([(data["X"], names)], epochs=2, resume_from=tmp_path / "m", verbose=0)
    assert again.seen.classes == ("cat", "dog")


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("built", "name"),
    [
        ({"seed": 6}, "seed 5, but this one has 6"),
        ({"dtype": "float64"}, "dtype 'float32', but this one has 'float64'"),
        ({"layers": [*LAYERS[:3], nn.Linear(4, 2)]}, "layers (Linear(3, 4), BatchNorm1d(4), ReLU(), Dropout("),
        ({"optimizer": nn.SGD(lr=RATE)}, "optimizer {'type': 'Adam', "),
        ({"optimizer": nn.Adam(lr=RATE, eps=0.1)}, "optimizer {'type': 'Adam', "),
        ({"ema": None}, "ema 0.9, but this one has None"),
        ({"clip_norm": 1.0}, "clip_norm None, but this one has 1.0"),
        ({"accumulate": 2}, "accumulate 1, but this one has 2"),
        ({"loss": nn.CrossEntropy()}, None),
    ],
)
def test_another_model_is_refused(data: dict[str, Any], path: pathlib.Path, built: Any, name: str | None) -> None:
    model = network(**built)
    if name is None:
        model.fit(**data, epochs=3, resume_from=path)
        return
    with unchanged(model), pytest.raises(ValueError, match=re.escape(f"whose model has {name}")):
        model.fit(**data, epochs=3, resume_from=path)


def test_frozen_layers_are_compared(data: dict[str, Any], path: pathlib.Path) -> None:
    model = network()
    model.freeze("0")
    with unchanged(model), pytest.raises(ValueError, match=r"whose model has frozen \[\], but this one has \['0'\]"):
        model.fit(**data, epochs=3, resume_from=path)


def test_what_is_no_file_of_a_training_is_refused(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    model = network()
    nn.Sequential(*LAYERS, seed=5).save(tmp_path / "not compiled")
    (tmp_path / "other").write_bytes(b"text")
    with unchanged(model):
        with pytest.raises(FileNotFoundError, match="missing"):
            model.fit(**data, resume_from=tmp_path / "missing")
        with pytest.raises(
            nn.ModelFormatError, match=r"\[fit\] resume_from is .*other.*, which is no usable model file"
        ):
            model.fit(**data, resume_from=tmp_path / "other")
        with pytest.raises(ValueError, match=r"\[fit\] resume_from is .*, whose model was not compiled; give a file"):
            model.fit(**data, resume_from=tmp_path / "not compiled")


def test_steps_that_are_in_no_epoch_are_refused(data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """Else it would train as many epochs again."""
    model = network(optimizer=nn.Adam())
    model.fit(lambda: iter([(data["X"], data["y"])] * 3), epochs=2, verbose=0)
    model.save(tmp_path / "m")
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"\[fit\] resume_from is .*, with 6 steps that are in no epoch"),
    ):
        model.fit(**data, epochs=5, resume_from=tmp_path / "m")


def test_a_fit_that_fails_before_its_first_step_leaves_the_model(data: dict[str, Any], path: pathlib.Path) -> None:
    model = network()
    model.fit(**data, epochs=3)
    model.optimizer.lr = 0.5  # type: ignore[union-attr]
    before = training_state(model)
    with pytest.raises(ValueError, match="val_loss"):
        model.fit(**data, epochs=5, resume_from=path, callbacks=nn.EarlyStopping())
    assert_same_bits(training_state(model), before)
    assert model.optimizer == nn.Adam(lr=0.5)
    untrained = network()
    untouched = training_state(untrained)
    with pytest.raises(ValueError, match="val_loss"):
        untrained.fit(**data, epochs=5, resume_from=path, callbacks=nn.EarlyStopping())
    assert_same_bits(training_state(untrained), untouched)
    with unchanged(model), pytest.raises(ValueError, match="X has 2 features"):
        model.fit(data["X"][:, :2], data["y"], epochs=5, resume_from=path)
