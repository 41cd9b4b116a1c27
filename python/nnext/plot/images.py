"""Weights as images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _inside, _pictures
from nnext._calls import takes_hints
from nnext._decision import Shape
from nnext.layers import Flatten
from nnext.model import Sequential
from nnext.plot.answers import require_model

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[Any]

__all__ = ["filters", "weights"]


@takes_hints
def weights(
    model: Sequential,
    layer: str | int = 0,
    *,
    image_shape: Sequence[int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the weights of a Linear layer: as an image for each unit where its samples are images, else as a matrix.

    Parameters
    ----------
    model : Sequential
    layer : str or int
        Its path or its position, -1 for the last one: "2" or 2, "2.body.0".
    image_shape : tuple of int, optional
        Of the images that the layer reads: (height, width) or (channels, height, width). Without it what is flattened
        before it, where the model's `input_shape` tells that; else there are no images.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        Its image has the weights: an output each row as a matrix, else the images with a line of NaN between them,
        several channels of a unit side by side in a row.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        For a layer without a matrix of weights, or an `image_shape` of other sizes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> model = nn.MLP([64, 5, 2])
    >>> weights(model, 2, ax=Figure().subplots()).images[0].get_array().shape
    (2, 5)
    >>> ax = weights(model, 0, image_shape=(8, 8), ax=Figure().subplots())
    >>> ax.get_title()
    '0.weight: 5 units of 8 x 8'
    """
    path = _inside.path_of("weights", require_model("weights", model).engine, layer)
    weight = _weight_of("weights", model, path)
    if weight.ndim != 2:
        raise ValueError(
            f"[weights] {path}.weight has shape {weight.shape}, which is no matrix; for kernels use filters"
        )
    if image_shape is None:
        shape = _flattened(model, path)
    else:
        shape = _check.shape("weights", "image_shape", image_shape)
        if len(shape) not in (2, 3) or math.prod(shape) != weight.shape[1]:
            raise ValueError(
                f"[weights] image_shape is {shape} but the layer reads {weight.shape[1]} features; give as many, as "
                "(height, width) or (channels, height, width)"
            )
    axes = _pictures.axes_of("weights", ax)
    if shape is None:
        _draw(axes, weight, f"{path}.weight")
        axes.set(xlabel="feature that goes in", ylabel="unit", aspect="auto")
        return axes
    images = weight.reshape(len(weight), -1, *shape[-2:])
    _draw(axes, _mosaic(images), f"{path}.weight: {len(images)} units of {' x '.join(map(str, shape))}")
    axes.set(xticks=[], yticks=[])
    return axes


@takes_hints
def filters(model: Sequential, layer: str | int = 0, *, ax: Axes | None = None) -> Axes:
    """Draw the kernels of a convolution as a grid of images: a row for each output, a column for each input channel.

    With one input channel the outputs fill a square. Kernels of one axis are images of one line.

    Parameters
    ----------
    model : Sequential
    layer : str or int
        Its path or its position, -1 for the last one: "2" or 2, "2.body.0".
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        Its image has the kernels, with a line of NaN between them.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        For a layer without kernels.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> ax = filters(nn.Sequential(nn.Conv2d(1, 4, 3)), 0, ax=Figure().subplots())
    >>> ax.images[0].get_array().shape  # two rows of two kernels, and a line between
    (7, 7)
    """
    path = _inside.path_of("filters", require_model("filters", model).engine, layer)
    weight = _weight_of("filters", model, path)
    if weight.ndim not in (3, 4):
        raise ValueError(f"[filters] {path}.weight has shape {weight.shape}, which are no kernels; use weights")
    kernels = weight if weight.ndim == 4 else weight[:, :, None]
    size = " x ".join(map(str, weight.shape[2:]))
    axes = _pictures.axes_of("filters", ax)
    _draw(axes, _mosaic(kernels), f"{path}.weight: {weight.shape[0]} x {weight.shape[1]} kernels of {size}")
    axes.set(xticks=[], yticks=[])
    if weight.shape[1] > 1:
        axes.set(xlabel="input channel", ylabel="output channel")
    return axes


def _weight_of(operation: str, model: Sequential, path: str) -> Array:
    state = model.state_dict()
    if f"{path}.weight" not in state:
        kind = type(_inside.layers_by_path(model.engine)[path]).__name__
        known = ", ".join(name.removesuffix(".weight") for name in state if name.endswith(".weight"))
        raise ValueError(f"[{operation}] layer {path}, {kind}, has no weights; those with some are {known or 'none'}")
    return state[f"{path}.weight"]


def _flattened(model: Sequential, path: str) -> Shape | None:
    """Return the shape of the images that a Flatten before a layer makes rows of; None where there is none."""
    shape, first = model.input_shape, model.engine.numbering.layers
    place = int(path) - first if path.isdigit() else 0
    if shape is None or place == 0 or not isinstance(model[place - 1], Flatten):
        return None
    if place > 1:
        shape = model.engine.layer_table(shape)[str(first + place - 2)].output_shape
    return shape if len(shape) == 3 else None


def _mosaic(images: Array) -> Array:
    """Put images (rows, columns, height, width) side by side, a line of NaN between them; one column as a square."""
    rows, columns, height, width = images.shape
    if columns == 1:
        columns = math.ceil(math.sqrt(rows))
        images, rows = images[:, 0], math.ceil(rows / columns)
    filled = np.full((rows * columns, height + 1, width + 1), np.nan, images.dtype)
    flat = images.reshape(-1, height, width)
    filled[: len(flat), :-1, :-1] = flat
    grid = filled.reshape(rows, columns, height + 1, width + 1).transpose(0, 2, 1, 3)
    return grid.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]


def _draw(axes: Axes, values: Array, title: str) -> None:
    """Draw numbers around 0, which is white: below blue, above red."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    image = axes.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label="weight")
    axes.set_title(title)
