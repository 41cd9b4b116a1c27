"""A network as boxes and arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnext import _check, _pictures
from nnext._calls import takes_hints
from nnext._decision import Shape
from nnext.layers import Layer
from nnext.model import Sequential
from nnext.model.table import count_parameters
from nnext.plot.answers import require_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["network_diagram"]

Point = tuple[float, float]

_WIDTH, _HEIGHT = 0.8, 0.62  # of a box, in columns and rows
_GAP = (1 - _HEIGHT) / 2  # of its row, above and below it


@takes_hints
def network_diagram(model: Sequential, input_shape: Shape | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw the layers from top to bottom: what they are, what they give, and how many parameters they have.

    The branches of a `Residual` or `Branches` stand side by side; what adds them or puts them side by side is a box
    below them. An arrow without a box takes numbers past the others.

    Parameters
    ----------
    model : Sequential
    input_shape : tuple of int, optional
        Of one sample, where the network takes several shapes; without it no shapes are shown then.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's, as large as the network needs.

    Returns
    -------
    matplotlib.axes.Axes
        A text for each layer, and an arrow for each way between two.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        For samples that the network does not take.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Residual(nn.Linear(3, 3), nn.ReLU()))
    >>> ax = network_diagram(model, ax=Figure().subplots())
    >>> for text in ax.texts:
    ...     print(text.get_text().replace(chr(10), ": "))
    input: (n, 4)
    0 Linear: (n, 3), 15 parameters
    1.body.0 Linear: (n, 3), 12 parameters
    1.body.1 ReLU: (n, 3)
    1 Residual +: (n, 3)
    """
    require_model("network_diagram", model)
    shape = model.input_shape if input_shape is None else _check.shape("network_diagram", "input_shape", input_shape)
    columns, rows = _size(model.layers)
    texts = _texts(model, shape)  # refuses a shape before anything is drawn
    axes = _pictures.axes_of("network_diagram", ax, (0.4 + 3 * columns, 0.4 + 0.75 * (rows + 1)))
    axes.set(xlim=(0, columns), ylim=(rows + 1, 0))
    axes.set_axis_off()
    drawing = _Drawing(axes, texts)
    start = drawing.box("", columns / 2, 0, "0.9")
    drawing.chain(model.layers, "", model.engine.numbering.layers, [start], columns / 2, 1)
    return axes


def _texts(model: Sequential, shape: Shape | None) -> dict[str, str]:
    """Return what stands in the boxes, by path; "" is the input."""
    sizes = {} if shape is None else model.engine.layer_table(shape)
    known: Mapping[str, Shape] = {path: size.output_shape for path, size in sizes.items()}
    texts = {"": f"input\n{_shown(shape)}"}

    def add(layers: Sequence[Layer], prefix: str, first: int) -> None:
        for i, layer in enumerate(layers, first):
            path, chains = f"{prefix}{i}", layer.chains()
            count = 0 if chains else count_parameters(model.engine, f"{path}.")
            joins = f" {'concat' if getattr(layer, 'join', None) == 'concat' else '+'}" if chains else ""
            parameters = f", {count:,} parameters" if count else ""
            texts[path] = f"{path} {type(layer).__name__}{joins}\n{_shown(known.get(path))}{parameters}"
            for name, held in chains.items():
                add(held, f"{path}.{name}.", 0)

    add(model.layers, "", model.engine.numbering.layers)
    return texts


def _shown(shape: Shape | None) -> str:
    return f"(n, {'?' if shape is None else ', '.join(map(str, shape))})"


def _size(layers: Sequence[Layer]) -> tuple[int, int]:
    """Return how many columns and rows of boxes a chain of layers takes; none are a column, for an arrow."""
    columns, rows = 1, 0
    for layer in layers:
        branches = [_size(held) for held in layer.chains().values()]
        columns = max(columns, sum(width for width, _ in branches))
        rows += 1 + max((height for _, height in branches), default=0)
    return columns, rows


class _Drawing:
    """Puts boxes into a grid, x to the right and y downwards, and arrows between them."""

    def __init__(self, axes: Axes, texts: Mapping[str, str]) -> None:
        self.axes, self.texts = axes, texts

    def chain(
        self, layers: Sequence[Layer], prefix: str, first: int, ends: list[Point], x: float, y: float
    ) -> list[Point]:
        """Draw a chain from the row y on, below the points that lead to it; return those that lead on."""
        for i, layer in enumerate(layers, first):
            path, chains = f"{prefix}{i}", layer.chains()
            if chains:
                ends, y = self._branches(chains, path, ends, x, y)
            self._arrows(ends, (x, y + _GAP))
            colour = "#F6D9A8" if chains else "#CFE3F1"  # light orange where ways join, else light blue
            ends = [self.box(path, x, y, colour)]
            y += 1
        return ends

    def _branches(
        self, chains: Mapping[str, Sequence[Layer]], path: str, ends: list[Point], x: float, y: float
    ) -> tuple[list[Point], float]:
        """Draw branches side by side; return the points that lead on, and the row below them."""
        sizes = [_size(held) for held in chains.values()]
        below = y + max(height for _, height in sizes)
        left, found = x - sum(width for width, _ in sizes) / 2, list[Point]()
        for (name, held), (width, _) in zip(chains.items(), sizes, strict=True):
            middle = left + width / 2
            own = self.chain(held, f"{path}.{name}.", 0, ends, middle, y)
            if not held:
                own = [(middle, y + _GAP)]
                self._lines(ends, own[0])
            self._lines(own, (middle, below))  # past longer branches, in a column of its own
            found.append((middle, below))
            left += width
        return found, below

    def box(self, path: str, x: float, y: float, colour: str) -> Point:
        """Draw the box of a layer; return the middle of its lower side."""
        from matplotlib.patches import FancyBboxPatch

        top = y + _GAP
        corner = (x - _WIDTH / 2, top)
        style = "round,pad=0,rounding_size=0.06"
        self.axes.add_patch(FancyBboxPatch(corner, _WIDTH, _HEIGHT, boxstyle=style, facecolor=colour, edgecolor="0.3"))
        self.axes.text(x, top + _HEIGHT / 2, self.texts[path], ha="center", va="center", fontsize="small")
        return x, top + _HEIGHT

    def _arrows(self, ends: list[Point], to: Point) -> None:
        from matplotlib.patches import FancyArrowPatch

        for end in ends:
            self.axes.add_patch(
                FancyArrowPatch(end, to, arrowstyle="-|>", mutation_scale=9, color="0.3", shrinkA=0, shrinkB=0)
            )

    def _lines(self, ends: list[Point], to: Point) -> None:
        for end in ends:
            self.axes.plot([end[0], to[0]], [end[1], to[1]], color="0.3", linewidth=1)
