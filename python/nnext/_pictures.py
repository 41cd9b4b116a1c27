"""What all pictures have in common: where they are drawn, their colours, and what is said without matplotlib.

matplotlib is imported when something is drawn, and pyplot, which has a state, only for a figure of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnext._unknown import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Size = tuple[float, float]  # inches

# Eight colours that people tell apart whatever their eyes: Okabe and Ito, Color Universal Design, 2008.
_EIGHT = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def require_matplotlib() -> None:
    """Raise ImportError, with how to get it, where matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError('[plot] matplotlib is not installed; pip install "nnext-learn[plot]"') from error


def new_figure(size: Size, path: str | os.PathLike[str] | None = None) -> Figure:
    """Return a figure: pyplot's, which notebooks show, or one that is only to be saved."""
    require_matplotlib()
    if path is not None:
        from matplotlib.figure import Figure

        return Figure(figsize=size, layout="constrained")
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained")


def save(figure: Figure, path: str | os.PathLike[str] | None) -> None:
    """Write it, if there is a path, whose ending decides the format."""
    if path is not None:
        figure.savefig(path, dpi=150)


def axes_of(operation: str, ax: Any, size: Size = (5.5, 4)) -> Axes:
    """Return the axes that were given or, for None, those of a new figure of pyplot's."""
    if ax is None:
        return new_figure(size).subplots()
    require_matplotlib()
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(
            f"[{operation}] ax is {shown(ax)}; give the axes of a figure, such as plt.subplots()[1], or None"
        )
    return ax


def colours(count: int) -> Sequence[Any]:
    """Return so many colours that differ for everyone: of more than eight, those of a scale from dark to light."""
    return _EIGHT[:count] if count <= len(_EIGHT) else shades(count)


def shades(count: int) -> Sequence[Any]:
    """Return colours in an order, of which none is too light for a line on white."""
    from matplotlib import colormaps

    viridis = colormaps["viridis"]
    return [viridis(0.9 * i / max(count - 1, 1)) for i in range(count)]


def without_box(axes: Axes) -> None:
    """Take away the lines of the frame that bear no numbers."""
    axes.spines[["top", "right"]].set_visible(False)


def draw_curves(
    axes: Axes, epochs: Sequence[int], values: Mapping[str, Sequence[float]], name: str, best_epoch: int | None
) -> None:
    """Draw what a quantity was in each epoch, in training and in validation."""
    from matplotlib.ticker import MaxNLocator

    x = [epoch + 1 for epoch in epochs]  # people count from 1, as the progress lines do
    marker = "o" if len(x) == 1 else None  # a line needs two points to be seen
    for key, label, colour in ((name, "training", "C0"), (f"val_{name}", "validation", "C1")):
        if key in values:
            axes.plot(x, values[key], color=colour, label=label, marker=marker)
    if best_epoch is not None and f"val_{name}" in values:
        axes.axvline(best_epoch + 1, color="0.6", linestyle=":", label="best epoch")
    axes.set(xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    without_box(axes)
    axes.legend(frameon=False)
