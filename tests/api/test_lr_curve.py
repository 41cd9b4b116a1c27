"""What `lr_find` makes of losses: averages, an end, a suggestion, a picture."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnext as nn
from small_fits import regressor
from tolerance import eps


class Script:
    """A loss of whatever values, which trains nothing."""

    def __init__(self, values: Any) -> None:
        self.values = iter(values)

    def __call__(self, p: Any, t: Any) -> tuple[float, Any]:
        return next(self.values), np.zeros_like(p)


def scripted(values: Any, **settings: Any) -> nn.LRFindResult:
    """Return the result of a test with these losses."""
    values = list(values)
    return nn.lr_find(regressor(Script(values)), np.zeros((1, 4)), np.zeros((1, 2)), steps=len(values), **settings)


def test_losses_are_smoothed_as_adam_does_it(rng: np.random.Generator) -> None:
    losses = 1 + rng.random(40)
    found = scripted(losses, smoothing=0.9)
    assert (found.losses == losses).all()
    for i in range(40):
        weights = 0.9 ** np.arange(i, -1, -1)
        np.testing.assert_allclose(
            found.smoothed[i], weights @ losses[: i + 1] / weights.sum(), rtol=1e3 * eps("float64")
        )
    assert (scripted(losses, smoothing=0).smoothed == losses).all()


@pytest.mark.parametrize(
    ("losses", "stop_factor", "steps"),
    [
        ([2, 1, 4, 5, 9], 4.0, 4),  # more than four times the least
        ([2, 1, 2, 3, 9], 2.5, 4),
        ([-1, -2, 3, 4.5, 9], 4.0, 4),  # and as far above a least loss below 0
        ([1, 0, 0, 1, 1], 4.0, 4),
        ([1, 1, 1, 1, 1], 4.0, 5),
    ],
)
def test_the_test_ends_where_the_loss_explodes(losses: list[float], stop_factor: float, steps: int) -> None:
    found = scripted(losses, smoothing=0, stop_factor=stop_factor)
    assert found.losses.tolist() == losses[:steps]
    assert len(found.lrs) == len(found.smoothed) == steps


def test_the_suggestion_is_where_the_losses_fall_most_steeply() -> None:
    """A slope between two plains; not what falls before it, among the first tenth, or after the least loss."""
    share = np.clip((np.arange(100) - 40) / 20, 0, 1)
    found = scripted(3 - 2 * share**2 * (3 - 2 * share), smoothing=0)
    assert found.suggestion == found.lrs[50]
    noisy = 3 - 2 * share
    noisy[3], noisy[70], noisy[80:84] = 0.8, 0.9, 3.5
    again = scripted(noisy, smoothing=0, stop_factor=9)
    assert len(again.lrs) == 100
    assert again.suggestion in found.lrs[45:56]


@pytest.mark.parametrize("losses", [[1.0], [2.0, 1.0], [1.0] * 50, np.linspace(1, 2, 50)])
def test_losses_that_do_not_fall_suggest_nothing(losses: Any) -> None:
    if len(losses) > 1:
        assert scripted(losses, smoothing=0).suggestion is None
    else:
        found = nn.lr_find(regressor(), iter([(np.zeros((1, 4)), np.zeros((1, 2)))]))
        assert (len(found.lrs), found.suggestion) == (1, None)


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the curves")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    yield pyplot
    pyplot.close("all")


def test_the_picture_has_both_curves_and_the_suggestion(pyplot: Any, tmp_path: Path) -> None:
    found, before = scripted([3, 3, 2, 1, 1, 2, 1e6], smoothing=0), pyplot.get_fignums()
    axes = found.plot(tmp_path / "range.png")
    assert (tmp_path / "range.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (axes.get_xscale(), axes.get_xlabel(), axes.get_ylabel()) == ("log", "learning rate", "loss")
    losses, smoothed, suggestion = axes.get_lines()
    assert losses.get_ydata().tolist() == found.losses.tolist()
    assert smoothed.get_xdata().tolist() == found.lrs.tolist()
    assert list(suggestion.get_xdata()) == [found.suggestion] * 2
    low, high = axes.get_ylim()
    assert low < 1 < 3 < high < 1e6  # the explosion leaves the picture
    assert pyplot.get_fignums() == before
    shown = scripted([1, 1, 1], smoothing=0).plot()
    assert len(shown.get_lines()) == 2
    assert pyplot.fignum_exists(shown.figure.number)


def test_what_cannot_be_drawn_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = nn.LRFindResult(np.empty(0), np.empty(0), np.empty(0), None)
    with pytest.raises(ValueError, match=r"\[plot\] there are no losses, since the first step diverged"):
        nothing.plot()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "nnext-learn\[plot\]"'):
        scripted([1, 1]).plot()
