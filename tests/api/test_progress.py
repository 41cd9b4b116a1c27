"""ProgressBar, driven as a fit drives it."""

import io
import sys
import threading
from typing import Any

import pytest

from nnext.callbacks import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(bar: ProgressBar, epochs: int, *, stop_after: int | None = None, samples: int | None = None) -> None:
    """Call what a fit calls."""
    bar.set_params({"epochs": epochs} | ({} if samples is None else {"samples": samples}))
    bar.on_train_begin()
    for epoch in range(epochs if stop_after is None else stop_after):
        bar.on_epoch_begin(epoch)
        bar.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "accuracy": 0.5, "table": [[1]]})
    bar.on_train_end()


def test_lines_go_to_stdout_when_stderr_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    run(ProgressBar(), 3, samples=1000)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[:-1] for line in lines] == [
        ["epoch 1/3", "loss 1.0000", "accuracy 0.5000"],
        ["epoch 2/3", "loss 0.5000", "accuracy 0.5000"],
        ["epoch 3/3", "loss 0.3333", "accuracy 0.5000"],
    ]
    assert all(line.endswith(" samples/s") for line in lines)
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize("epochs", [1, 19, 20, 21, 39, 41, 1000, 12345])
def test_a_long_fit_prints_about_twenty_lines(epochs: int, capsys: pytest.CaptureFixture[str]) -> None:
    run(ProgressBar(), epochs)
    lines = capsys.readouterr().out.splitlines()
    assert min(epochs, 11) <= len(lines) <= 22
    assert lines[0].split("/")[0].split() == ["epoch", "1"]
    assert lines[-1].startswith(f"epoch {epochs}/{epochs}")
    run(ProgressBar(verbose=2), epochs)
    assert len(capsys.readouterr().out.splitlines()) == epochs


def test_a_fit_that_stops_early_still_shows_its_last_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    run(ProgressBar(), 1000, stop_after=77)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("/")[0].split()[1] for line in lines] == ["1", "50", "77"]


def test_a_second_fit_counts_from_one_again(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar(verbose=2)
    run(bar, 2)
    run(bar, 1)
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "epoch 1/2",
        "epoch 2/2",
        "epoch 1/1",
    ]


@pytest.mark.parametrize("verbose", ["auto", 1])
def test_a_terminal_gets_one_bar_and_no_thread(
    verbose: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    threads = threading.active_count()
    bar = ProgressBar(verbose=verbose)
    bar.set_params({"epochs": 3, "samples": 10})
    bar.on_train_begin()
    assert threading.active_count() == threads
    for epoch in range(3):
        bar.on_epoch_begin(epoch)
        bar.on_epoch_end(epoch, {"loss": 0.25})
    bar.on_train_end()
    shown = terminal.getvalue()
    assert "3/3" in shown
    assert "loss 0.2500" in shown
    assert "samples/s" in shown
    assert capsys.readouterr().out == ""


def test_silence_and_nonsense(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    run(ProgressBar(verbose=0), 3)
    assert capsys.readouterr().out == sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"\[ProgressBar\] verbose is 3; use 'auto', 0, 1 or 2"):
        ProgressBar(verbose=3)  # type: ignore[arg-type]


def test_it_works_without_knowing_how_many_epochs_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar(verbose=2)
    bar.on_train_begin()
    bar.on_epoch_end(0, {"loss": 1.5e-7, "lr": float("nan"), "norm": 1e9})
    bar.on_epoch_end(1)
    assert capsys.readouterr().out.splitlines() == ["epoch 1  loss 1.5e-07  lr nan  norm 1e+09", "epoch 2"]
