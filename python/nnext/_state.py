"""What a network is made of and how far its training has come: records that the engine gives and takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from nnext._decision import Shape

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Counters = tuple[int, int]  # training steps and epochs of the network's life: they name the random streams
Progress = tuple[int, float]  # steps of the optimizer, and the product that some rules keep, of a parameter


class Numbering(NamedTuple):
    """Where the layers of a slice are numbered from, in a network of their own too: names and random numbers go on."""

    layers: int = 0  # the place of the first one
    inner: int = 0  # how many layers that others hold came before


FROM_THE_FIRST = Numbering()


class LayerSize(NamedTuple):
    """What a layer gives and takes for one sample in evaluation."""

    output_shape: Shape
    flops: float
    bytes: int  # of the output, where it has a place of its own


class Position(NamedTuple):
    """How far a training has come since `compile`: what a schedule follows. Steps of one's own are in no epoch."""

    epochs: float = 0.0  # whole, but for the parts of epochs that were interrupted
    step: int = 0  # done of the epoch that a fit is in, or was interrupted in
    steps: int = 0  # that this one has; 0 where `step` is

    def in_epochs(self) -> float:
        """Return where an epoch that begins now begins."""
        return self.epochs + (self.step / self.steps if self.step else 0.0)


class Tensor(NamedTuple):
    """An array that the network owns."""

    path: str  # "0.weight": of the layer, then its own
    shape: tuple[int, ...]
    role: str  # "parameter", or "buffer" for what the layer itself changes with a step

    @property
    def holders(self) -> list[str]:
        """The groups of layers that it is in, and last its layer: "2", "2.body" and "2.body.0"."""
        parts = self.path.split(".")
        return [".".join(parts[:end]) for end in range(1, len(parts))]


@dataclass(frozen=True)
class State:
    """What decides how a network goes on, at one moment."""

    tensors: Mapping[str, Array]
    optimizer: Mapping[str, Sequence[Array]]  # its running sums, for each tensor; none for buffers
    progress: Mapping[str, Progress]  # for each tensor
    counters: Counters
    position: Position
    averages: Mapping[str, Array] = field(default_factory=dict)  # of the parameters, if there are some
    # What setting the state leaves as it is:
    frozen: Sequence[str] = ()  # paths of layers
    compiled: Any = None  # what `compile` accepted

    @property
    def all_counters(self) -> tuple[int, int, int]:
        """Training steps, epochs, and steps of the optimizer so far."""
        return *self.counters, max((steps for steps, _ in self.progress.values()), default=0)
