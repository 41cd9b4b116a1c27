"""Figures of matplotlib, which is imported when somebody draws."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(size: tuple[float, float], path: str | os.PathLike[str] | None) -> Figure:
    """Return a figure, of so many inches: one of its own where it goes to a path, else pyplot's, so that it is shown.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('[plot] matplotlib is not installed; pip install "nnext-learn[plot]"') from error
    if path is not None:
        return Figure(figsize=size, layout="constrained")
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained")


def save(figure: Figure, path: str | os.PathLike[str] | None) -> None:
    """Write it, if there is a path, whose ending decides the format."""
    if path is not None:
        figure.savefig(path, dpi=150)
