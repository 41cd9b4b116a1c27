"""A training that goes on from a file, in a model that was built and compiled as the one that was saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnext import _files
from nnext._compiled import Compiled
from nnext._decision import Seen
from nnext._engine import Engine
from nnext._given import Checkpoint
from nnext._state import Position
from nnext.errors import ModelFormatError
from nnext.model import descriptions
from nnext.model.contents import Contents
from nnext.model.descriptions import Description


def read_checkpoint(engine: Engine, compiled: Compiled, path: _files.Path | _files.Readable) -> Checkpoint:
    """Return what a training goes on from, compared with the model that is to go on.

    Raises
    ------
    ModelFormatError
        When it is no usable model file.
    ValueError
        When the model that was saved is another one, whose first difference is named, or has steps in no epoch.
    OSError
        When it cannot be read.
    """
    contents = _read(path)
    saved, state = contents.description, contents.state(compiled=True)
    ours = descriptions.read(descriptions.write(engine, engine.state(), Seen()))
    if saved.compiled is None:
        raise ValueError(f"[fit] resume_from is {path!r}, whose model was not compiled; give a file of one that was")
    for (name, theirs), (_, mine) in zip(_identity(saved, saved.compiled), _identity(ours, ours.compiled), strict=True):
        if theirs != mine:
            raise ValueError(
                f"[fit] resume_from is {path!r}, whose model has {name} {theirs!r}, but this one has {mine!r}; build "
                "and compile it as that one was, or go on with nnext.load(path)"
            )
    steps = max((steps for steps, _ in state.progress.values()), default=0)
    if state.position == Position() and steps > 0:
        raise ValueError(
            f"[fit] resume_from is {path!r}, with {steps} steps that are in no epoch, as those of batches without a "
            "length, so that nobody knows how many epochs are left; go on with nnext.load(path), and fit these"
        )
    return Checkpoint(state, saved.seen, saved.compiled.optimizer.changing())


def _read(path: _files.Path | _files.Readable) -> Contents:
    data = _files.read(path)
    try:
        contents = Contents.of(data)
        if wrong := contents.not_finite():
            raise ModelFormatError(wrong)
    except ModelFormatError as error:
        raise ModelFormatError(f"[fit] resume_from is {path!r}, which is no usable model file: {error}") from error
    return contents


def _identity(description: Description, compiled: Any) -> Iterator[tuple[str, Any]]:
    """Go through all that two models must have in common for one to go on where the other stood, by name."""
    for name in ("dtype", "seed", "layers", "input_shape", "numbering", "frozen"):
        yield name, getattr(description, name)
    for name in ("loss", "precision", "clip_norm", "clip_value", "accumulate", "ema"):
        yield name, getattr(compiled, name)
    changing = compiled.optimizer.changing()
    yield "optimizer", {name: v for name, v in compiled.optimizer.config().items() if name not in changing}
