"""Twins of a model, within a process or in another one: through the bytes of its file, beside what that cannot hold."""

from __future__ import annotations

import copyreg
from typing import Any

import numpy as np

from nnext._engine import Engine, Predictor
from nnext._warn import warn
from nnext.model.contents import Contents, pack
from nnext.model.deciding import Deciding
from nnext.model.functions import Functions
from nnext.model.parameters import Parameters
from nnext.model.training import Training

_IN_THE_FILE = ("_engine", "_told")  # of a model's attributes


class Copies(Training, Parameters):
    """What `copy`, `pickle`, and all that use them, such as joblib and multiprocessing, need of a network.

    A twin is of the same class, has the same attributes, and goes on with the same bits. What `forward` and `backward`
    leave for the next call is not part of it.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the bytes of the model's file, its functions, and its other attributes."""
        state: Any = super().__getstate__()
        by_name, by_slot = state if isinstance(state, tuple) else (state, {})
        now = self._engine.state()
        functions = Functions.of(now.compiled)
        return {
            "file": bytes(pack(self._engine, now, self._told.under(now.compiled))),
            "loss": functions.loss,
            "metrics": dict(functions.metrics),
            "attributes": {name: value for name, value in (by_name | by_slot).items() if name not in _IN_THE_FILE},
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become a twin of the model that gave the state."""
        rebuild(self, Contents.of(state["file"]), Functions(state["loss"], state["metrics"]))
        for name, value in state["attributes"].items():
            object.__setattr__(self, name, value)


def rebuild(model: Copies, contents: Contents, functions: Functions) -> None:
    """Make an object without attributes the model of a file, compiled unless its loss is a function that is not here.

    Only nnext's methods are called: a subclass may have others of the same names.
    """
    description = contents.description
    Deciding.__init__(model, description.engine())
    compiled = description.compiled
    loss = None if compiled is None else functions.choose_loss(compiled.loss)
    if compiled is not None and loss is not None:
        Training.compile(
            model,
            loss=loss,
            optimizer=compiled.optimizer,
            metrics=functions.choose_metrics(compiled.metrics),
            precision=_usable(model.engine, compiled.precision),
            clip_norm=compiled.clip_norm,
            clip_value=compiled.clip_value,
            accumulate=compiled.accumulate,
            ema=compiled.ema,
        )
    model.engine.set_state(contents.state(compiled=loss is not None))
    Parameters.freeze(model, *description.frozen)
    model.remember(description.seen)


def _usable(engine: Engine, precision: str) -> str:
    """Return the precision to compile with: a model must predict on every CPU."""
    if precision == "bf16" and engine.dtype == np.float32:
        try:
            engine.check_precision(precision)
        except ValueError as why:
            warn(f'[load] compiled with precision "float32" instead: {why}', RuntimeWarning)
            return "float32"
    return precision


def _reduce(predictor: Predictor) -> tuple[Any, tuple[bytes]]:
    return _predictor, (bytes(pack(predictor.engine, predictor.engine.state())),)


def _predictor(file: bytes) -> Predictor:
    contents = Contents.of(file)
    engine = contents.description.engine()
    engine.set(contents.parameters)
    return engine.as_predictor()


copyreg.pickle(Predictor, _reduce)  # for copy as well
