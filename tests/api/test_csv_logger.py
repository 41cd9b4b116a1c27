"""CSVLogger: the table of History, written while the training goes on."""

import pathlib
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import unchanged


@pytest.fixture
def model() -> nn.Sequential:
    model = nn.MLP([3, 4, 2], seed=4)
    model.compile(loss="cross_entropy", metrics=["accuracy"])
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    return {"X": rng.normal(size=(20, 3)), "y": rng.integers(2, size=20), "verbose": 0}


def test_the_file_is_that_of_to_csv(model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "log.csv"
    history = model.fit(**data, epochs=3, validation_split=0.25, callbacks=nn.CSVLogger(path))
    history.to_csv(tmp_path / "expected.csv")
    assert path.read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert path.read_text().startswith("epoch,loss,accuracy,val_loss,val_accuracy\n0,")


def test_a_row_is_in_the_file_when_its_epoch_is_over(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    path, counts = tmp_path / "log.csv", list[int]()
    count = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: counts.append(path.read_text().count("\n")))
    model.fit(**data, epochs=3, callbacks=[nn.CSVLogger(path), count])
    assert counts == [2, 3, 4]


def test_a_fit_begins_the_file_anew_or_goes_on_below(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "log.csv"
    model.fit(**data, epochs=3, callbacks=nn.CSVLogger(path))
    model.fit(**data, epochs=2, callbacks=nn.CSVLogger(path))
    assert path.read_text().count("\n") == 3
    first = path.read_text()
    logger = nn.CSVLogger(path, append=True)
    model.fit(**data, epochs=1, callbacks=logger)
    history = model.fit(**data, epochs=2, callbacks=logger)
    assert path.read_text().startswith(first)
    rows = path.read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "0", "1", "0", "0", "1"]
    assert float(rows[-1].split(",")[1]) == history["loss"][-1]


def test_values_that_an_epoch_lacks_are_nan(tmp_path: pathlib.Path) -> None:
    logger = nn.CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.5, "mine": 2})
    logger.on_epoch_end(1, {"loss": np.float32(0.25)})
    assert (tmp_path / "log.csv").read_text() == "epoch,loss,mine\n0,0.5,2.0\n1,0.25,nan\n"
    with pytest.raises(ValueError, match=r"log.csv has the columns epoch, loss, mine, but the logs have other; give"):
        logger.on_epoch_end(2, {"loss": 0.5, "other": 1.0})
    assert (tmp_path / "log.csv").read_text().count("\n") == 3


def test_other_columns_are_refused_before_anything_begins(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "log.csv"
    for text, message in (
        ("epoch,loss\n0,0.5\n", r"has the columns epoch, loss, but the logs have accuracy; give another path"),
        ("loss,accuracy\n", "has the columns loss, accuracy, but the logs have loss, accuracy;"),
    ):
        path.write_text(text)
        with unchanged(model), pytest.raises(ValueError, match=rf"\[CSVLogger\] .*{message}"):
            model.fit(**data, callbacks=nn.CSVLogger(path, append=True))
        assert path.read_text() == text


def test_a_file_that_cannot_be_written_is_told_before_anything_begins(
    model: nn.Sequential, data: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    with unchanged(model), pytest.raises(IsADirectoryError):
        model.fit(**data, callbacks=nn.CSVLogger(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [((3,), {}, "path is 3; give a path"), (("a",), {"append": 1}, "append is 1; give True or False")],
)
def test_settings_that_mean_nothing_are_refused(arguments: Any, settings: Any, message: str) -> None:
    with pytest.raises(TypeError, match=rf"\[CSVLogger\] {message}"):
        nn.CSVLogger(*arguments, **settings)
