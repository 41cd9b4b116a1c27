"""A training that goes on from a file, in a model that was built and compiled as the one that was saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnext import _files
from nnext._compiled import Compiled
from nnext._decision import Seen
from nnext._engine import Engine
from nnext._given import Checkpoint
from nnext.errors import ModelFormatError
from nnext.model import descriptions
from nnext.model.contents import Contents
from nnext.model.descriptions import Description, Settings


def read_checkpoint(engine: Engine, compiled: Compiled, path: _files.Path | _files.Readable) -> Checkpoint:
    """Return what a training goes on from, compared with the model that is to go on.

    Raises
    ------
    ModelFormatError
        When it is no usable model file.
    ValueError
        When the model that was saved is another one; the first difference is named.
    OSError
        When it cannot be read.
    """
    data = _files.read(path)
    try:
        contents = Contents.of(data)
        if wrong := contents.not_finite():
            raise ModelFormatError(wrong)
    except ModelFormatError as error:
        raise ModelFormatError(f"[fit] resume_from is {path!r}, which is no usable model file: {error}") from error
    saved = contents.description
    ours = descriptions.read(descriptions.write(engine, engine.state(), compiled, Seen()))
    if saved.compiled is None:
        raise ValueError(f"[fit] resume_from is {path!r}, whose model was not compiled; give a file of one that was")
    for (name, theirs), (_, mine) in zip(_identity(saved, saved.compiled), _identity(ours, ours.compiled), strict=True):
        if theirs != mine:
            raise ValueError(
                f"[fit] resume_from is {path!r}, whose model has {name} {theirs!r}, but this one has {mine!r}; build "
                "and compile it as that one was, or go on with nnext.load(path)"
            )
    return Checkpoint(contents.state(compiled=True), saved.seen, saved.compiled.optimizer.lr)


def _identity(description: Description, compiled: Any) -> Iterator[tuple[str, Any]]:
    """Go through all that two models must have in common for one to go on where the other stood, by name."""
    for name in ("dtype", "seed", "layers", "input_shape", "numbering", "frozen"):
        yield name, getattr(description, name)
    for name in Settings.__dataclass_fields__:
        value = getattr(compiled, name)
        if name == "optimizer":  # whose lr may have changed in the training
            value = {key: setting for key, setting in value.config().items() if key != "lr"}
        if name != "metrics":
            yield name, value
