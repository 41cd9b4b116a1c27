"""Models from and to files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _files
from nnext._engine import State
from nnext.errors import ModelFormatError
from nnext.layers import Layer
from nnext.losses import Loss
from nnext.model import Sequential
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["load", "save"]


def save(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model to a file; see ``Sequential.save``.

    Parameters
    ----------
    model : Sequential
    path : str or path-like

    Raises
    ------
    OSError
        When the file cannot be written; a file that was there is then unchanged.

    Examples
    --------
    >>> import nnext as nn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
    >>> save(nn.MLP([4, 3, 2]), path)
    """
    model.save(path)


def load(path: str | os.PathLike[str]) -> Sequential:
    """Read a model that ``Sequential.save`` wrote. It predicts, and goes on training, exactly as the saved one.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Sequential
        Compiled if the saved model was, except with a loss function of one's own: then compile again. Where the CPU
        lacks what precision "bf16" needs, with "float32" and a RuntimeWarning.

    Raises
    ------
    ModelFormatError
        When it is no file of a format this version knows, or its parts do not fit together.
    OSError
        When it cannot be read.

    Examples
    --------
    >>> import nnext as nn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
    >>> model = nn.MLP([4, 3, 2], seed=3)
    >>> model.save(path)
    >>> bool((load(path).predict([[1, 2, 3, 4]]) == model.predict([[1, 2, 3, 4]])).all())
    True
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        return _rebuild(*_files.decode(data))
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, ModelFormatError) and str(error).startswith("[load]"):
            raise
        raise ModelFormatError(f"[load] {os.fspath(path)!r} is not a usable model file: {error}") from error


def _rebuild(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> Sequential:
    model = Sequential(
        *(Layer.from_config(config) for config in description["layers"]),
        seed=description["seed"],
        dtype=description["dtype"],
    )
    if description.get("optimizer") is not None:
        optimizer = Optimizer.from_config(description["optimizer"])
        if description["loss"] is not None:
            precision = _usable(model, description.get("precision", "float32"))
            model.compile(
                Loss.from_config(description["loss"]),
                optimizer,
                metrics=description["metrics"],
                precision=precision,
                clip_norm=description.get("clip_norm"),
            )
    if description.get("loss") is None:  # a function: the user compiles again
        tensors = {name: array for name, array in tensors.items() if not name.startswith("optimizer.")}
    arrays = range(len(model.engine.optimizer_arrays()))
    sums = {
        tensor.path: [f"optimizer.{tensor.path}.{i}" for i in arrays if tensor.role == "parameter"]
        for tensor in model.engine.tensors()
    }
    _check_tensors(model.dtype, tensors, [*sums, *(name for names in sums.values() for name in names)])
    model.engine.set_state(
        State(
            tensors={path: tensors[path] for path in sums},
            optimizer={path: [tensors[name] for name in names] for path, names in sums.items()},
            progress=dict(zip(sums, map(_progress, description["progress"]), strict=True)),
            counters=tuple(description["counters"]),
        )
    )
    model.freeze(*description["frozen"])
    return model


def _progress(entry: Any) -> tuple[int, float]:
    steps, product = entry
    return steps, float(product)


def _check_tensors(dtype: np.dtype[Any], tensors: Mapping[str, Array], expected: list[str]) -> None:
    if sorted(tensors) != sorted(expected):
        raise ModelFormatError(f"[load] the file has the tensors {sorted(tensors)} but the model {sorted(expected)}")
    for name, array in tensors.items():
        if array.dtype != dtype:
            raise ModelFormatError(f"[load] tensor {name} is {array.dtype} but the model {dtype}")
        if not np.isfinite(array).all():
            raise ModelFormatError(f"[load] tensor {name} has values that are NaN or infinite")


def _usable(model: Sequential, precision: str) -> str:
    """Return the precision to compile a loaded model with: it must predict on every CPU."""
    if precision == "bf16":
        try:
            model.engine.check_precision(precision)
        except ValueError as why:
            warnings.warn(f'[load] compiled with precision "float32" instead: {why}', RuntimeWarning, stacklevel=4)
            return "float32"
    return precision
