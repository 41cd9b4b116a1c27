"""How large numbers are, layer by layer."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _inside, _pictures
from nnext._calls import takes_hints
from nnext.model import Sequential
from nnext.plot.answers import require_model

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[Any]

__all__ = ["activation_histogram", "gradient_histogram"]


@takes_hints
def activation_histogram(
    model: Sequential,
    X: npt.ArrayLike,
    layers: Sequence[str | int] | None = None,
    *,
    bins: int = 50,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what numbers each layer gives: units that saturate or that are dead show as bars at an end or at 0.

    Parameters
    ----------
    model : Sequential
    X : array_like
        Samples, as in ``predict``.
    layers : sequence of str or int, optional
        Which layers, as in ``model.activations``; without it those of the model itself.
    bins : int
        Into how many parts the range of all numbers is divided.
    scale : float, optional
        A factor on X, as in ``predict``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each layer, from dark to light.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        For samples or layers that ``activations`` refuses, or activations that are not finite.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> ax = activation_histogram(nn.MLP([2, 8, 1]), [[1.0, 2.0], [0.0, 1.0]], ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['0 Linear', '1 ReLU', '2 Linear']
    """
    bins = _check.integer("activation_histogram", "bins", bins, low=1, high=10_000)
    first = require_model("activation_histogram", model).engine.numbering.layers
    chosen = layers if layers is not None else [str(first + i) for i in range(len(model))]
    found = model.activations(X, chosen, scale=scale)
    edges = np.histogram_bin_edges(_finite("activation_histogram", found), bins)
    axes = _pictures.axes_of("activation_histogram", ax)
    _draw(axes, model, found, edges)
    axes.set(xlabel="activation", ylabel="share of the layer's activations")
    return axes


@takes_hints
def gradient_histogram(
    model: Sequential,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    bins: int = 50,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how large the gradients of each layer's parameters are: where they vanish or explode they shift by decades.

    They are those of the loss on all of X in training mode, as ``loss_and_grads`` gives them; the model stays as it is.

    Parameters
    ----------
    model : Sequential
        Compiled.
    X, y : array_like
        Samples and targets, as in ``fit``.
    bins : int
        Into how many parts the range of all sizes is divided.
    scale : float, optional
        A factor on X, as in ``fit``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each layer that trains, from dark to light. Gradients of 0, as dead units have, have no place on a
        logarithmic scale: the legend has their share.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    RuntimeError
        Without ``compile``.
    ValueError, TypeError
        For samples and targets that ``loss_and_grads`` refuses, or gradients that are all 0 or not finite.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> model = nn.MLP([2, 8, 1])
    >>> model.compile("mse")
    >>> ax = gradient_histogram(model, [[1.0, 2.0], [0.0, 1.0]], [1.0, 0.0], ax=Figure().subplots())
    >>> ax.get_xscale()
    'log'
    """
    bins = _check.integer("gradient_histogram", "bins", bins, low=1, high=10_000)
    _, grads = copy.deepcopy(require_model("gradient_histogram", model)).loss_and_grads(X, y, scale=scale)
    sizes: dict[str, list[Array]] = {}
    for name, values in grads.items():
        if name.rpartition(".")[0] not in model.engine.frozen:
            sizes.setdefault(name.rpartition(".")[0], []).append(np.abs(values, dtype=np.float64).ravel())
    found = {path: np.concatenate(parts) for path, parts in sizes.items()}
    every = _finite("gradient_histogram", found)
    every = every[every > 0]
    if not len(every):
        raise ValueError("[gradient_histogram] all gradients are 0, which have no place on a logarithmic scale")
    low, high = np.log10(every.min()), np.log10(every.max())
    edges = 10 ** np.linspace(low - 0.01, high + 0.01, bins + 1)  # a hundredth of a decade around the outermost
    axes = _pictures.axes_of("gradient_histogram", ax)
    _draw(axes, model, found, edges)
    axes.set(xscale="log", xlabel="size of a parameter's gradient", ylabel="share of the layer's parameters")
    return axes


def _finite(operation: str, found: Mapping[str, Array]) -> Array:
    """Return all numbers in a row."""
    every = np.concatenate([np.zeros(0), *(values.ravel() for values in found.values())])
    if not len(every):
        raise ValueError(f"[{operation}] there is no layer to draw; give some, or unfreeze one")
    if broken := len(every) - int(np.isfinite(every).sum()):
        raise ValueError(f"[{operation}] {broken} of {len(every)} numbers are NaN or infinite, which have no place")
    return every


def _draw(axes: Axes, model: Sequential, found: Mapping[str, Array], edges: Array) -> None:
    """Draw a line for each layer: which share of its numbers lies between two edges."""
    kinds = _inside.layers_by_path(model.engine)
    for (path, values), colour in zip(found.items(), _pictures.shades(len(found)), strict=True):
        counts, _ = np.histogram(values, edges)
        below = f" ({np.mean(values == 0):.0%} are 0)" if edges[0] > 0 and not values.all() else ""
        label = f"{path} {type(kinds[path]).__name__}{below}"
        axes.stairs(counts / values.size, edges, color=colour, linewidth=1.5, label=label)
    _pictures.without_box(axes)
    axes.legend(frameon=False)
