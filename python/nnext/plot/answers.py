"""What a model says of samples beside what is true, or two arrays of it: what several pictures compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _targets
from nnext._decision import Decision, Seen, decide
from nnext._unknown import shown
from nnext.model import Sequential

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Answers(NamedTuple):
    """What a network gives for samples, and the place of the true class of each, by its decision."""

    decision: Decision
    outputs: Array
    true: Array


def require_model(operation: str, model: Any, instead: str = "") -> Sequential:
    """Return a model of nnext's; `instead` says what else could be given."""
    if not isinstance(model, Sequential):
        raise TypeError(f"[{operation}] model is {shown(model)}; give a Sequential or MLP{instead}")
    return model


def decision_of(operation: str, model: Sequential, X: npt.ArrayLike, y: Any) -> tuple[Decision, Array | None]:
    """Return what a network decides of samples, as they and their targets tell, and the places of the true classes."""
    output, loss = model.engine.output_of(X), None if model.compiled is None else model.compiled.core_loss

    def decision(seen: Seen) -> Decision:
        return decide(model.layers, output, loss, seen)

    decision(model.seen).require(operation)
    if y is None:
        return decision(model.seen), None
    y, seen = _targets.settle(operation, y, decision, model.seen)
    return decision(seen), _targets.places(operation, y, decision(seen))


def of_model(operation: str, model: Sequential, X: Any, y: Any, scale: float | None) -> Answers:
    """Return what a network gives for samples and decides of them."""
    decision, true = decision_of(operation, model, X, y)
    outputs = model.predict(X, scale=scale)
    count = len(decision.rows(outputs))
    if true is None or len(true) != count:
        raise ValueError(
            f"[{operation}] y has {np.shape(y)[0]} entries but the model gives {count} predictions; give X and y of "
            "the same samples"
        )
    return Answers(decision, outputs, true)


def are_of_a_model(operation: str, model: Any, samples: tuple[Any, Any], **arrays: Any) -> bool:
    """Tell whether a model with X and y was given, or two arrays in place of these; refuse everything between."""
    first, second = arrays
    if model is not None:
        require_model(operation, model, f" with X and y, or arrays by name: {operation}({first}=..., {second}=...)")
    given = [value is not None for value in (model, *samples)]
    others = [value is not None for value in arrays.values()]
    if not (all(given) and not any(others)) and not (all(others) and not any(given)):
        raise TypeError(f"[{operation}] give either model, X and y or {first} and {second}, and all of them")
    return all(given)


def pairs(operation: str, y_true: npt.ArrayLike, other: npt.ArrayLike, name: str) -> tuple[Array, Array]:
    """Return two arrays of as many samples each."""
    true, said = np.asarray(y_true), np.asarray(other)
    if true.ndim == 0 or said.ndim == 0 or len(true) != len(said) or not len(true):
        raise ValueError(
            f"[{operation}] y_true has shape {true.shape} but {name} {said.shape}; give one entry a sample of each"
        )
    return true, said
