"""History: the record of a fit, its table and its picture."""

import copy
import csv
import math
import pickle
import sys
import weakref
from pathlib import Path

import pytest

from nnext.history import History


@pytest.fixture
def history() -> History:
    record = History()
    for epoch, (loss, val_loss) in enumerate([(0.9, 1.0), (0.5, 0.7), (0.3, 0.8)]):
        record.append(epoch, {"loss": loss, "accuracy": 1 - loss, "val_loss": val_loss})
    return record


def test_an_epoch_adds_one_number_to_every_list(history: History) -> None:
    assert history.epoch == [0, 1, 2]
    assert history.history["loss"] == [0.9, 0.5, 0.3]
    assert list(history.history) == ["loss", "accuracy", "val_loss"]
    assert history.stop_reason is None


def test_lists_stay_as_long_as_the_epochs() -> None:
    record = History()
    record.append(0, {"loss": 1})
    record.append(1, {"val_loss": 2})
    record.append(2, {"loss": 3, "val_loss": 4})
    assert [[str(v) for v in values] for values in record.history.values()] == [
        ["1.0", "nan", "3.0"],
        ["nan", "2.0", "4.0"],
    ]


def test_the_best_epoch_has_the_lowest_validation_loss_or_else_the_lowest_loss(history: History) -> None:
    assert history.best_epoch == 1
    del history.history["val_loss"]
    assert history.best_epoch == 2
    assert History().best_epoch is None
    record = History()
    for epoch, loss in enumerate([math.nan, 0.5, 0.5]):
        record.append(epoch, {"loss": loss})
    assert record.best_epoch == 1
    record.history["val_loss"] = [math.nan] * 3
    assert record.best_epoch is None


def test_the_table_keeps_every_digit(history: History, tmp_path: Path) -> None:
    history.history["loss"][0] = 1 / 3
    path = tmp_path / "history.csv"
    path.write_text("an old file, longer than the new one\n" * 100)
    history.to_csv(path)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == history.epoch
    for name, values in history.history.items():
        assert [float(row[name]) for row in rows] == values


def test_the_picture_has_a_panel_a_quantity_with_training_and_validation(history: History, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the curves")
    figure = history.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    training, validation, best = figure.axes[0].get_lines()
    assert training.get_xdata().tolist() == [1, 2, 3]
    assert validation.get_ydata().tolist() == [1.0, 0.7, 0.8]
    assert list(best.get_xdata()) == [2, 2]
    assert len(figure.axes[1].get_lines()) == 1


def test_without_a_path_the_figure_is_pyplots(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the curves")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    figure = history.plot()
    assert pyplot.fignum_exists(figure.number)
    pyplot.close(figure)


def test_what_cannot_be_drawn_is_said(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"\[plot\] the history has no epochs"):
        History().plot()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "nnext-learn\[plot\]"'):
        history.plot("curves.png")


def test_it_shows_itself_in_one_line(history: History) -> None:
    assert repr(history) == "History(3 epochs: loss, accuracy, val_loss; best epoch 1)"
    assert repr(History()) == "History(0 epochs: empty)"


def test_a_quantity_is_found_by_its_name(history: History) -> None:
    assert history["loss"] is history.history["loss"]
    assert "val_loss" in history
    assert "acc" not in history
    with pytest.raises(KeyError, match=r"\[History\] there is no 'acc'; history.history has loss, accuracy, val_loss"):
        history["acc"]
    with pytest.raises(KeyError, match=r"there is no 'loss'; history.history has nothing yet"):
        History()["loss"]


def test_it_is_no_list_of_anything(history: History) -> None:
    for use in (list, dict, iter):
        with pytest.raises(TypeError, match=r"\[History\] go through history.history, a dict of lists, or"):
            use(history)
    with pytest.raises(TypeError, match="has no len"):
        len(history)  # type: ignore[arg-type]
    assert History()  # nor is it false before its first epoch


@pytest.mark.parametrize("name", ["stop_reson", "epochs", "best_epoch", "params"])
def test_what_it_does_not_have_cannot_be_set(history: History, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(history, name, 3)


def test_copies_have_the_same_numbers(history: History) -> None:
    for again in (copy.deepcopy(history), pickle.loads(pickle.dumps(history)), weakref.ref(history)()):
        assert (again.history, again.epoch, again.stop_reason) == (history.history, history.epoch, None)
