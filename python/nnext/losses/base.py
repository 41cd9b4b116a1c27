"""What losses have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from nnext._described import Described

CustomLoss = Callable[[Any, Any], tuple[float, Any]]


class Loss(Described, kind="loss"):
    """Base of the losses that the core computes. ``name`` is what ``compile(loss=...)`` takes too.

    Examples
    --------
    >>> import nnext as nn
    >>> isinstance(nn.CrossEntropy(), nn.losses.Loss), nn.CrossEntropy.name
    (True, 'cross_entropy')
    """

    # What it takes the network's outputs for: "log_means" are logarithms of what targets are on average, "logits" are
    # of a label each, and so are "margins", whose sign decides; "class_logits" are of all classes together.
    takes: ClassVar[Literal["numbers", "log_means", "probabilities", "logits", "margins", "class_logits"]] = "numbers"

    # The setting that may hold a number for each output, if there is one.
    of_each_output: ClassVar[str | None] = None

    # A target that it takes, which stands for those that do not count.
    any_target: ClassVar[float] = 0.0

    # After a last layer of such a type, the name of the loss that gives the same from what goes into that layer. It is
    # exact where a probability rounds to 0 or 1, and its gradient is "what it says - what it should say". It has the
    # same settings.
    fused_after: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def _register(cls) -> None:
        """Leave out a class whose objects can be called: a function of the user's, whatever it is named."""
        if not any("__call__" in vars(base) for base in cls.__mro__):
            super()._register()

    def fused(self, last_layer: str) -> Loss | None:
        """Return the loss to compute together with a last layer of that type; None to compute them apart."""
        name = self.fused_after.get(last_layer)
        if name is None or name == self.name:
            return None if name is None else self
        return Loss.names()[name](**vars(self))
