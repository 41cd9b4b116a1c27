"""ModelCheckpoint: when it saves, under which names, and that the files go on."""

import math
import pathlib
import re
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

NAN = math.nan


@pytest.fixture
def model() -> nn.Sequential:
    model = nn.MLP([3, 4, 2], dropout=0.2, seed=4)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=nn.Cosine(0.05, epochs=6)), metrics=["accuracy"])
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    return {"X": rng.normal(size=(20, 3)), "y": rng.integers(2, size=20), "batch_size": 8, "verbose": 0}


def names(folder: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ---- in a fit -------------------------------------------------------------------------------------------------------


def test_every_file_goes_on_with_the_bits_of_the_training(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    checkpoint = nn.ModelCheckpoint(tmp_path / "new" / "folder" / "{epoch:02d}-{val_loss:.3f}.safetensors", every=2)
    history = model.fit(**data, epochs=6, validation_split=0.2, callbacks=checkpoint)
    expected = [f"{epoch:02d}-{history['val_loss'][epoch - 1]:.3f}.safetensors" for epoch in (2, 4, 6)]
    assert names(tmp_path / "new" / "folder") == expected
    assert checkpoint.latest == str(tmp_path / "new" / "folder" / expected[-1])
    assert (checkpoint.best, checkpoint.best_epoch) == (None, None)
    for name, epochs in zip(expected, (4, 2, 0), strict=True):
        again = nn.load(tmp_path / "new" / "folder" / name)
        if epochs:
            again.fit(**data, epochs=epochs, validation_split=0.2)
        assert_same_bits(training_state(again), training_state(model))


def test_without_fields_there_is_one_file_the_newest(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    model.fit(**data, epochs=3, callbacks=nn.ModelCheckpoint(tmp_path / "last.safetensors"))
    assert names(tmp_path) == ["last.safetensors"]
    assert_same_bits(training_state(nn.load(tmp_path / "last.safetensors")), training_state(model))


def test_the_best_is_that_of_early_stopping(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path, rng: np.random.Generator
) -> None:
    X, y = rng.normal(size=(9, 3)), rng.integers(2, size=9)
    model.optimizer.lr = 0.05  # type: ignore[union-attr]
    checkpoint = nn.ModelCheckpoint(tmp_path / "best.safetensors", save_best_only=True)
    early = nn.EarlyStopping(patience=5)
    history = model.fit(**data, epochs=200, validation_data=(X, y), callbacks=[checkpoint, early])
    assert len(history.epoch) < 200
    assert (checkpoint.best, checkpoint.best_epoch) == (early.best, early.best_epoch)
    best = nn.load(tmp_path / "best.safetensors")
    assert_same_bits(best.state_dict(), model.state_dict())  # which early stopping gave back
    assert best.evaluate(X, y)["loss"] == checkpoint.best


# ---- when -----------------------------------------------------------------------------------------------------------


class Model:
    """What ModelCheckpoint needs of a model."""

    def __init__(self) -> None:
        self.saved: list[str] = []

    def save(self, path: str) -> None:
        self.saved.append(pathlib.Path(path).name)


def drive(checkpoint: nn.ModelCheckpoint, values: list[float]) -> list[str]:
    """Go through epochs with these values; return the names of what was saved."""
    model = Model()
    checkpoint.set_params({"epochs": len(values)})
    checkpoint.set_model(model)
    checkpoint.on_train_begin({})
    for epoch, value in enumerate(values):
        checkpoint.on_epoch_end(epoch, {"val_loss": value, "mine": value})
    checkpoint.on_train_end({})
    return model.saved


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        ([1, 2, 3], {}, ["1", "2", "3"]),
        ([1, 2, 3, 4, 5], {"every": 2}, ["2", "4"]),
        ([1, 2], {"every": 3}, []),
        ([5, 4, 6, 4, 3], {"save_best_only": True}, ["1", "2", "5"]),
        ([5, 4, 6, 4, 3], {"save_best_only": True, "monitor": "mine", "mode": "max"}, ["1", "3"]),
        ([5, 1, 6, 4, 3, 3], {"save_best_only": True, "every": 2}, ["2"]),  # looks at the values 1, 4, 3
        ([NAN, 5, NAN, 4], {"save_best_only": True}, ["2", "4"]),
        ([NAN, NAN], {"save_best_only": True}, []),
    ],
)
def test_values_and_settings_tell_what_is_saved(
    values: list[float], settings: dict[str, Any], expected: list[str], tmp_path: pathlib.Path
) -> None:
    assert drive(nn.ModelCheckpoint(tmp_path / "{epoch}", **settings), values) == expected


def test_the_best_holds_for_later_fits_and_can_be_set(tmp_path: pathlib.Path) -> None:
    checkpoint = nn.ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True)
    assert drive(checkpoint, [5, 4]) == ["1", "2"]
    assert drive(checkpoint, [6, 4, 3]) == ["3"]
    assert (checkpoint.best, checkpoint.best_epoch) == (3, 2)
    checkpoint.best = 1.0
    assert drive(checkpoint, [2, 1, 0.5]) == ["3"]


def test_nothing_is_best_that_could_not_be_saved(tmp_path: pathlib.Path) -> None:
    checkpoint = nn.ModelCheckpoint(tmp_path / "file" / "{epoch}", save_best_only=True)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        drive(checkpoint, [5])
    assert (checkpoint.best, checkpoint.latest) == (None, None)


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "settings", "error", "message"),
    [
        ("", {}, ValueError, "path is empty; give a path"),
        (3, {}, TypeError, "path is 3; give a path"),
        (b"m", {}, TypeError, "path is b'm'; give a path"),
        ("{}", {}, ValueError, "path is '{}', whose fields cannot be filled in"),
        ("{0}", {}, ValueError, r"path is '\{0\}', whose fields cannot be filled in"),
        ("{epoch", {}, ValueError, "path is '{epoch', whose fields cannot be filled in: .*; write them as"),
        ("{loss.real}", {}, ValueError, "path is '{loss.real}', whose fields"),
        ("{val_loss:d}", {}, ValueError, "path is '{val_loss:d}', whose fields cannot be filled in: Unknown format"),
        ("m", {"every": 0}, ValueError, "every is 0; give a whole number"),
        ("m", {"save_best_only": 1}, TypeError, "save_best_only is 1; give True or False"),
        ("m", {"save_best_only": True, "mode": "low"}, ValueError, "unknown mode 'low'; use one of auto, min, max"),
        ("m", {"save_best_only": True, "monitor": "mine"}, ValueError, "monitor is 'mine', but mode='auto' only knows"),
        ("m", {"monitor": "loss"}, ValueError, "monitor is 'loss' and mode is 'auto', but without save_best_only=True"),
        ("m", {"mode": "max"}, ValueError, "monitor is 'val_loss' and mode is 'max', but without save_best_only"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    path: Any, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"\[ModelCheckpoint\] {message}"):
        nn.ModelCheckpoint(path, **settings)


def test_names_that_the_logs_will_lack_are_refused_as_soon_as_that_is_known(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    for checkpoint, message in (
        (nn.ModelCheckpoint(tmp_path / "{val_loss}"), "but the logs have loss, accuracy and no val_loss; use {epoch}"),
        (nn.ModelCheckpoint(tmp_path / "m", save_best_only=True), "monitor is 'val_loss' but the logs have loss, acc"),
    ):
        with unchanged(model), pytest.raises(ValueError, match=rf"\[ModelCheckpoint\] .*{re.escape(message)}"):
            model.fit(**data, callbacks=checkpoint)
    checkpoint = nn.ModelCheckpoint(tmp_path / "{mine}")  # another callback may bring it
    with pytest.raises(ValueError, match="the logs have loss, accuracy, epoch and no mine"):
        model.fit(**data, callbacks=checkpoint)
    assert not names(tmp_path)
    bring = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(mine=0.5))
    model.fit(**data, callbacks=[bring, checkpoint])
    assert names(tmp_path) == ["0.5"]
