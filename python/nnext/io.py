"""Models from and to files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nnext import _files
from nnext._warn import warn
from nnext.errors import ModelFormatError
from nnext.losses import CustomLoss
from nnext.model import Sequential
from nnext.model.contents import Contents
from nnext.model.copies import rebuild
from nnext.model.descriptions import Settings
from nnext.model.functions import Functions, Names

__all__ = ["load", "save"]

Metrics = Sequence[Callable[[Any, Any], float]] | Mapping[str, Callable[[Any, Any], float]]


def save(model: Sequential, path: _files.Path | _files.Writable) -> None:
    """Write a model to a file; see ``Sequential.save``.

    Parameters
    ----------
    model : Sequential
    path : str, path-like or file

    Raises
    ------
    OSError, ValueError
        When the file cannot be written, or the model is in no state to be saved; a file that was there is then
        unchanged.

    Examples
    --------
    >>> import nnext as nn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
    >>> save(nn.MLP([4, 3, 2]), path)
    """
    model.save(path)


def load(
    path: _files.Path | _files.Readable, *, loss: CustomLoss | None = None, metrics: Metrics | None = None
) -> Sequential:
    """Read a model that ``Sequential.save`` wrote. It predicts, and goes on training, exactly as the saved one.

    Parameters
    ----------
    path : str, path-like or file
        "~" is the home folder. Or a file that is open for bytes.
    loss : callable, optional
        The loss, where it was a function of your own.
    metrics : list or mapping of callables, optional
        The metrics that were functions of your own, under their names.

    Returns
    -------
    Sequential
        Also of a subclass; compiled if that was. A UserWarning tells where functions of your own are not given:
        without a metric it is compiled with the others, without the loss not at all. Where the CPU lacks what precision
        "bf16" needs, it is compiled with "float32", and a RuntimeWarning tells.

    Raises
    ------
    ModelFormatError
        When it is no file of a format this version knows, or its parts do not fit together. No code in it runs.
        Whatever it claims, it takes memory for its bytes and no more than ten times its header, of which it may have
        4 MiB; one that is read takes memory for its bytes and for the model.
    OSError
        When it cannot be read, or is a folder, a device, a pipe or a socket; it names the path.
    TypeError, ValueError
        For other functions than the file names.

    Examples
    --------
    >>> import nnext as nn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
    >>> model = nn.MLP([4, 3, 2], seed=3)
    >>> model.save(path)
    >>> bool((load(path).predict([[1, 2, 3, 4]]) == model.predict([[1, 2, 3, 4]])).all())
    True
    """
    functions = Functions.given(loss, metrics)
    data = _files.read(path)
    with _refusing(path):
        contents = Contents.of(data)
        if wrong := contents.not_finite():
            raise ModelFormatError(wrong)
    compiled = contents.description.compiled
    names = Names(None, ()) if compiled is None else compiled.functions
    functions.check_wanted(names)
    model = Sequential.__new__(Sequential)
    with _refusing(path):
        rebuild(model, contents, functions)
    if compiled is not None and (missing := names.without(functions)):
        warn(_what_is_missing(missing, compiled))
    return model


@contextlib.contextmanager
def _refusing(path: Any) -> Iterator[None]:
    """Turn what a file says wrong into the error that names it."""
    name = os.fspath(path) if isinstance(path, os.PathLike) else path
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ModelFormatError(f"[load] {name!r} is no usable model file: {error}") from error


def _what_is_missing(names: Names, compiled: Settings) -> str:
    lost = "compiled without them"
    if names.loss is not None:
        lost = f"not compiled, and the state of its optimizer {compiled.optimizer} is left out"
    return (
        f"[load] the file does not hold {names}, functions of the user's, so the model is {lost}; give them: "
        f"nn.load(path, {names.arguments()})"
    )
