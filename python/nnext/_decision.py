"""What a network decides: a class, one of two, several labels, or numbers.

`decide` works it out from the loss, the last layers and the number of outputs; the targets that a model sees may settle
the rest (`Seen`). Whatever needs to know asks the one object: metrics, `evaluate`, `predict_proba`, `predict_classes`,
class weights, the division into training and validation, and files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nnext import functional
from nnext.layers import Layer, LogSoftmax, Softmax
from nnext.losses import Loss

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Shape = tuple[int, ...]  # of a sample: features, (steps, features), or (channels, height, width)
Kind = Literal["classes", "binary", "labels", "numbers"]
Probability = Literal["given", "softmax", "sigmoid"]


class Output(NamedTuple):
    """What a network gives for one sample: channels, or features, at each of its places."""

    shape: Shape
    axis: int  # of the channels: 0 for images, the last one for sequences

    @property
    def channels(self) -> int:
        """The numbers at a place: classes, if it decides between some."""
        return self.shape[self.axis]

    @property
    def space(self) -> Shape:
        """The other axes; none for a row of features."""
        return self.shape[: self.axis] + self.shape[self.axis + 1 :]


@dataclass(frozen=True)
class Seen:
    """What the data have told beyond what loss and layers say; None: nothing yet."""

    exclusive: bool | None = None  # of several outputs: each sample has exactly one label
    pair: tuple[int, int] | None = None  # the two numbers that stand for the two classes
    classes: tuple[str, ...] | None = None  # the labels, where they are strings
    scale: float | None = None  # what the samples of the last fit were multiplied by, unless by 1

    def first(self, later: Seen) -> Seen:
        """Return this, and what is later where this knows nothing."""
        pairs = zip(vars(self).items(), vars(later).values(), strict=True)
        return Seen(**{name: new if old is None else old for (name, old), new in pairs})


NOTHING_SEEN = Seen()


@dataclass(frozen=True)
class Decision:
    """What a network decides from its outputs.

    Attributes
    ----------
    kind : {"classes", "binary", "labels", "numbers"}
        One of several classes, one of two from a single output, 0 or 1 for each output, or nothing: the outputs are
        numbers.
    outputs : int
        At each place, where an output has several: a step of time, a pixel.
    space : tuple of int
        The places of an output: (steps,) or (height, width); () for a row of features.
    axis : int
        Of outputs, where a place's are: 1 for images, else the last one.
    probability : {"given", "softmax", "sigmoid"} or None
        How outputs become probabilities; None where there are none.
    sure : bool
        Whether a loss of nnext's says so; without one, outputs that nothing bounds are taken for logits.
    exclusive : bool
        Whether the probabilities of several outputs are divided by their sum.
    pair : tuple of two int
        What the two classes of "binary" are called.
    classes : tuple of str or None
        What the classes are called where the targets were strings.
    why : str
        The loss and the last layer, for messages.
    """

    kind: Kind
    outputs: int
    probability: Probability | None
    why: str
    sure: bool = True
    exclusive: bool = False
    pair: tuple[int, int] = (0, 1)
    classes: tuple[str, ...] | None = None
    space: Shape = ()
    axis: int = -1

    def rows(self, outputs: Array) -> Array:
        """Return outputs with a row for each place of each sample, (n, outputs)."""
        return outputs if not self.space else np.moveaxis(outputs, self.axis, -1).reshape(-1, outputs.shape[self.axis])

    def _unrowed(self, found: Array, samples: int, axis: int | None) -> Array:
        """Return what was found for rows for the places of samples; `axis` is where the numbers of a row go."""
        if not self.space:
            return found
        found = found.reshape(samples, *self.space, *found.shape[1:])
        return found if axis is None else np.moveaxis(found, -1, axis)

    def require(self, operation: str) -> None:
        """Raise ValueError where there is nothing to decide."""
        if self.kind == "numbers":
            raise ValueError(
                f"[{operation}] the network gives numbers ({self.why}) and decides between no classes; use predict, "
                "or end it with Sigmoid() or Softmax(), or compile with loss 'cross_entropy' or 'bce_with_logits'"
            )

    @property
    def names(self) -> tuple[Any, ...]:
        """What the classes are called, in the order of the outputs; of "labels" those of each output."""
        if self.classes is not None:
            return self.classes
        return tuple(range(self.outputs)) if self.kind == "classes" else self.pair

    def decided(self, outputs: Array) -> Array:
        """Return which class each output says, as its place in `names`; of the outputs' shape for "labels"."""
        self.require("predict_classes")
        samples, outputs = len(outputs), self.rows(outputs)
        if self.kind == "classes":
            return self._unrowed(np.asarray(outputs.argmax(axis=1)), samples, None)
        threshold = {"given": 0.5, "sigmoid": 0.0}.get(self.probability or "", sum(self.pair) / 2)
        above = (outputs > threshold).astype(np.int64)
        if self.kind == "binary":
            return self._unrowed(above[:, 0], samples, None)
        return self._unrowed(above, samples, self.axis)

    def named(self, places: Array) -> Array:
        """Return the names of classes, for people."""
        if self.classes is None and self.names == tuple(range(len(self.names))):
            return places
        return np.asarray(self.names)[places]

    def probabilities(self, outputs: Array, operation: str = "predict_proba") -> Array:
        """Return the probability of each class, (n, classes), or of each label; of each place likewise."""
        samples, outputs = len(outputs), self.rows(outputs)
        return self._unrowed(self._probabilities(outputs, operation), samples, self.axis)

    def _probabilities(self, outputs: Array, operation: str) -> Array:
        self.require(operation)
        if self.probability is None:
            raise ValueError(
                f"[{operation}] the network's output is no probability ({self.why}); use predict_classes, or end the "
                "network with Sigmoid()"
            )
        found = self.as_probability(outputs)
        if self.kind == "binary":
            return np.hstack([1 - found, found])
        if not self.exclusive:
            return found
        total = found.sum(axis=1, keepdims=True)
        even = np.full_like(found, 1 / self.outputs)
        return np.asarray(np.divide(found, total, out=even, where=total > 0))

    def as_numbers(self, outputs: Array) -> Array:
        """Return what metrics of numbers compare, of rows: probabilities where the loss says that there are some."""
        return self.as_probability(outputs) if self.sure else outputs

    def as_probability(self, outputs: Array) -> Array:
        """Return rows of outputs as probabilities, each for itself; as they are where they are none."""
        if self.probability == "softmax":
            return functional.softmax(outputs)
        return functional.sigmoid(outputs) if self.probability == "sigmoid" else outputs


def decide(layers: Sequence[Layer], output: Output, loss: Loss | None, seen: Seen = NOTHING_SEEN) -> Decision:
    """Work out what a network decides; `loss` is None before compile and for a function of the user's."""
    last, outputs = layers[_deciding(layers)], output.channels
    low, high = last.output_range or (-np.inf, np.inf)
    unit = low >= 0 and high <= 1
    takes = loss.takes if loss is not None else "numbers" if unit else "class_logits" if outputs > 1 else "logits"
    why = f"{'no loss' if loss is None else f'loss {loss.name!r}'} after {type(last).__name__}"
    told: dict[str, Any] = {"outputs": outputs, "why": why, "sure": loss is not None, "classes": seen.classes}
    told |= {"space": output.space, "axis": 1 if output.space and output.axis == 0 else -1}
    if takes == "class_logits" or (outputs > 1 and isinstance(last, Softmax)):
        return Decision("classes", probability="given" if isinstance(last, Softmax) else "softmax", **told)
    if takes == "numbers" and not unit:
        if outputs == 1 and (low, high) == (-1, 1):
            return Decision("binary", probability=None, pair=seen.pair or (-1, 1), **told)
        return Decision("numbers", probability=None, **told)
    probability: Probability = "sigmoid" if takes == "logits" else "given"
    if outputs == 1:
        return Decision("binary", probability=probability, **told)
    if seen.exclusive:
        return Decision("classes", probability=probability, exclusive=True, **told)
    return Decision("labels", probability=probability, **told)


def check(layers: Sequence[Layer], outputs: int | None, loss: Loss | None) -> None:
    """Refuse last layers and a loss that cannot work together; `outputs` is None where any number is possible.

    Raises
    ------
    ValueError
        With what to use instead.
    """
    place = _deciding(layers)
    last = layers[place]
    softmax, name = Softmax | LogSoftmax, type(last).__name__
    if isinstance(last, softmax) and outputs == 1:
        always = 1 if isinstance(last, Softmax) else 0
        raise ValueError(
            f"[compile] {name} over one output is always {always} and learns nothing; use Sigmoid(), or two outputs"
        )
    before = layers[_deciding(layers[:place])] if place else None
    if isinstance(last, softmax) and isinstance(before, softmax):
        raise ValueError(f"[compile] the last two layers are {type(before).__name__} and {name}; leave one away")
    if loss is None:
        return
    if loss.takes == "class_logits" and outputs == 1:
        raise ValueError(
            f"[compile] {loss.name} needs an output for each class but the network has 1; give it 2 or more, "
            "or use loss='bce_with_logits'"
        )
    fused = loss.fused(type(layers[-1]).__name__) is not None
    if not fused and last.output_range is not None:
        why_not = _misfit(loss.takes, *last.output_range)
        if why_not is not None:
            low, high = last.output_range
            raise ValueError(f"[compile] loss {loss.name!r} takes {why_not.format(name=name, low=low, high=high)}")


def _misfit(takes: str, low: float, high: float) -> str | None:
    """Say why outputs within a range are not what a loss takes; None if they are."""
    unit = low >= 0 and high <= 1
    if takes == "probabilities" and not unit:
        return (
            "probabilities, but {name} gives numbers in ({low:g}, {high:g}); end the network with Sigmoid(), or use "
            "loss='bce_with_logits', which takes logits"
        )
    if takes == "logits" and unit:
        return (
            "logits, but {name} gives numbers in ({low:g}, {high:g}), which it would squash again; leave {name} "
            "away, or use loss='bce'"
        )
    if takes == "logits" and low >= 0:
        return "logits, but {name} gives none below 0, so never a probability below 1/2; leave {name} away"
    if takes == "logits" and high <= 0:
        return "logits, but {name} gives none above 0, so never a probability above 1/2; leave {name} away"
    if takes == "class_logits" and unit:
        return (
            "logits, but {name} gives numbers in ({low:g}, {high:g}), which it would squash again; leave {name} "
            "away, or use Softmax() in its place"
        )
    return None


def _deciding(layers: Sequence[Layer]) -> int:
    """Return the place of the last layer that changes what goes into it; the first where none does."""
    return next((i for i in reversed(range(len(layers))) if layers[i].output_range is not None), 0)
