"""The command line, within this process and in one of its own."""

import importlib.util
import io
import re
import subprocess
import sys

import numpy as np
import pytest

import internals
import nnext as nn
from nnext import cli


def run(*arguments):
    """Run ``python -m nnext`` and return its result."""
    return subprocess.run(
        [sys.executable, "-m", "nnext", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def one_round(monkeypatch):
    """Let the demo measure once: these tests look at what it prints, not at how fast it is."""
    monkeypatch.setattr(internals.demo, "ROUNDS", 1)


def test_the_demo_shows_everything_it_promises(tmp_path):
    picture = tmp_path / "curves.png"
    result = run("demo", "--out", str(picture))
    assert result.returncode == 0, result.stderr
    out = result.stdout
    assert "1,437 handwritten digits to learn from, 360 held out" in out
    assert len(re.findall(r"^epoch .* val_accuracy", out, re.M)) >= 10
    # 95%: a linear classifier's level on these digits; the demo's own figure is above it.
    assert float(re.search(r"^accuracy (\S+)", out, re.M)[1]) > 0.95
    assert re.search(r"^precision 0\.9\d+, recall 0\.9\d+", out, re.M)
    assert re.search(r"^nnext +[\d,]+ samples/s$", out, re.M)
    assert re.search(r"^NumPy reference +[\d,]+ samples/s$", out, re.M)
    assert re.search(r"^[\d.]+ times as fast \((best of )?\d+ ", out, re.M)
    assert "the losses of all epochs agree" in out
    if importlib.util.find_spec("matplotlib"):
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert f"learning curves: {picture}" in out
    else:
        assert "nnext-learn[plot]" in out


def test_the_table_holds_the_confusion_matrix_and_both_shares(capsys):
    y_true = np.repeat(np.arange(10), 4)
    y_pred = y_true.copy()
    y_pred[0] = 7  # one zero read as a seven
    internals.demo_shows_test(y_true, y_pred)
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line[:5].strip()}
    assert rows["0"] == ["1.000", "0.750", "3", *"......", "1", ".", "."]
    assert rows["7"] == ["0.800", "1.000", *".......", "4", ".", "."]
    assert rows["accuracy"] == ["0.9750"]
    assert rows["precision"] == ["0.9800,", "recall", "0.9750:", "means", "over", "the", "ten", "digits"]


def test_without_matplotlib_one_line_says_how_to_get_it(monkeypatch, capsys, tmp_path, one_round):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    picture = tmp_path / "curves.png"
    assert cli.main(["demo", "--epochs", "1", "--out", str(picture)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith('pip install "nnext-learn[plot]"')
    assert not picture.exists()


def test_no_plot_leaves_no_file(monkeypatch, capsys, tmp_path, one_round):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--epochs", "1", "--no-plot"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert "learning curves" not in capsys.readouterr().out


def test_a_picture_that_cannot_be_written_is_an_error_after_the_results(capsys, tmp_path, one_round):
    pytest.importorskip("matplotlib")
    assert cli.main(["demo", "--epochs", "1", "--out", str(tmp_path / "none" / "curves.png")]) == 1
    captured = capsys.readouterr()
    assert "samples/s" in captured.out
    assert "--out" in captured.err


def test_losses_that_disagree_are_reported_and_fail(monkeypatch, capsys, one_round):
    monkeypatch.setattr(internals.DemoSpeed, "disagreement", property(lambda speed: 0.5))
    assert cli.main(["demo", "--epochs", "1", "--no-plot"]) == 1
    assert "DISAGREE" in capsys.readouterr().out


def test_the_comparison_measures_the_same_training():
    X, y = nn.datasets.load_digits()
    speed = internals.demo_measures(X[:200] / 16, y[:200], epochs=2)
    assert len(speed.fast_loss) == len(speed.plain_loss) == 2
    # Seven steps of float32 an epoch, each with sums of 64 terms: far less than this.
    assert speed.disagreement < 1e-5


def test_info_prints_the_configuration():
    result = run("info")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"nnext {nn.__version__}, Python")
    assert "instruction set:" in result.stdout


def test_info_describes_a_model_file(capsys, tmp_path):
    model = nn.MLP([4, 3, 2], seed=5, dtype="float64")
    model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.25))
    model.save(tmp_path / "m.safetensors")
    assert cli.main(["info", str(tmp_path / "m.safetensors")]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^total +23 ", out, re.M)
    assert "float64, seed 5" in out
    assert "CrossEntropy(), SGD(lr=0.25" in out


def test_info_describes_a_model_that_was_not_compiled(capsys, tmp_path):
    nn.MLP([4, 3, 2]).save(tmp_path / "m.safetensors")
    assert cli.main(["info", str(tmp_path / "m.safetensors")]) == 0
    assert "not compiled" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"no model at all"])
def test_info_on_what_is_no_model_says_so_in_one_line(capsys, tmp_path, content):
    path = tmp_path / "m.safetensors"
    if content is not None:
        path.write_bytes(content)
    assert cli.main(["info", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("[info] ")
    assert error.count("\n") == 1
    assert "m.safetensors" in error


@pytest.mark.parametrize("epochs", ["0", "-3", "many", "1.5"])
def test_epochs_must_be_a_whole_number_from_1_on(capsys, epochs):
    assert cli.main(["demo", f"--epochs={epochs}"]) == 2
    assert "no whole number from 1 on" in capsys.readouterr().err


def test_without_a_command_the_help_lists_them(capsys):
    assert cli.main([]) == 2
    out = capsys.readouterr().out
    assert "demo" in out
    assert "info" in out


def test_help_and_version_end_well(capsys):
    assert cli.main(["--help"]) == 0
    assert cli.main(["--version"]) == 0
    assert f"nnext {nn.__version__}" in capsys.readouterr().out


def test_ctrl_c_ends_a_command_without_a_traceback(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(nn.runtime, "show_config", interrupted)
    assert cli.main(["info"]) == 130
    assert capsys.readouterr().err == "[info] stopped\n"


def test_colours_appear_on_terminals_only_and_not_against_no_color(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert internals.demo_paints("7", "32") == "7"
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert internals.demo_paints("7", "32") == "\033[32m7\033[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert internals.demo_paints("7", "32") == "7"
