"""What a network's outputs mean, and what its data have told about that."""

from __future__ import annotations

from dataclasses import dataclass

from nnext._compiled import Compiled
from nnext._decision import NOTHING_SEEN, Decision, Output, Seen, decide
from nnext._engine import Engine
from nnext._warn import warn
from nnext.model.network import Network


@dataclass(frozen=True)
class _Told:
    """What data have told, and what was compiled then: the loss says what their numbers mean."""

    seen: Seen
    compiled: Compiled | None
    scale: float | None  # that of `seen`, at hand for the smallest prediction

    def under(self, compiled: Compiled | None) -> Seen:
        """Return what of it holds with what is compiled: names of classes and the factor on X with everything."""
        return self.seen if self.compiled is compiled else Seen(classes=self.seen.classes, scale=self.seen.scale)


class Deciding(Network):
    """A network that knows what it decides."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._told = _Told(NOTHING_SEEN, None, None)

    @property
    def seen(self) -> Seen:
        """What the data of `fit` and `evaluate` have told about classes and scale.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([1, 2])
        >>> model.compile("cross_entropy")
        >>> history = model.fit([[0.0], [1.0]], ["cat", "dog"], verbose=0)
        >>> model.seen.classes
        ('cat', 'dog')
        """
        return self._told.under(self._compiled)

    def remember(self, seen: Seen) -> None:
        """Take what data have told; for the other modules of nnext.

        Parameters
        ----------
        seen : Seen

        Raises
        ------
        ValueError
            When it has names for more or fewer classes than the network decides between.

        Examples
        --------
        >>> import nnext as nn
        >>> model, twin = nn.MLP([1, 2]), nn.MLP([1, 2])
        >>> twin.remember(model.seen)
        """
        if seen.classes is not None and self.input_shape is not None:
            outputs = self._engine.output(self.input_shape).channels
            if len(seen.classes) != max(outputs, 2):
                raise ValueError(
                    f"[model] there are {len(seen.classes)} names of classes, but the network has {outputs} outputs"
                )
        self._told = _Told(seen, self._compiled, seen.scale)

    @property
    def decision(self) -> Decision:
        """What the network decides from its outputs: one object for metrics, `evaluate` and all predictions.

        Raises
        ------
        ValueError
            Where the network takes samples of several shapes, so that its outputs are not known.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
        >>> model.decision.kind, model.decision.names
        ('binary', (0, 1))
        """
        if self.input_shape is None:
            raise ValueError(
                "[decision] the network takes samples of several shapes; give it a layer such as Linear(4, 2), or "
                "input_shape=(1, 28, 28)"
            )
        return self._decide(self._engine.output(self.input_shape))

    def _decide(self, output: Output) -> Decision:
        compiled = self._compiled
        loss = None if compiled is None else compiled.core_loss
        return decide(self.layers, output, loss, self._told.under(compiled))

    def _scale(self, operation: str, scale: float | None) -> float:
        """Return the factor on X: 1 where none is given, with a warning if the last fit had another."""
        if scale is None and (fitted := self._told.scale) is not None:
            warn_of_scale(operation, fitted)
        return 1.0 if scale is None else scale


def warn_of_scale(operation: str, fitted: float) -> None:
    """Tell that no factor on X is given, where the last fit had one."""
    warn(
        f"[{operation}] the model was fitted with scale={fitted:.6g}, but none is given here; give the same for such "
        "samples, or scale=1.0 for some that are scaled already"
    )
