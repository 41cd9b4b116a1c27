"""Losses and metrics that are functions of the user's. No file holds them but their names; they travel beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nnext import metrics
from nnext._compiled import Compiled
from nnext.losses import CustomLoss, Loss
from nnext.metrics import Metric


class Named(NamedTuple):
    """What a file knows of a function of the user's."""

    function: str  # its name


def name_loss(loss: Loss | CustomLoss) -> Loss | Named:
    """Return a loss as a file may hold it."""
    function: Any = loss
    return Named(metrics.name_of(function)) if callable(loss) else loss


def name_metrics(compiled: Compiled) -> dict[str, str | Named]:
    """Return the metrics as a file may hold them, by their names in History: nnext's own are names, too."""
    known = {metrics.get(name): name for name in metrics.names()}
    return {name: known.get(chosen.function) or Named(name) for name, chosen in compiled.metrics.items()}


@dataclass(frozen=True)
class Names:
    """Names of such functions, for messages."""

    loss: str | None
    metrics: Sequence[str]

    @classmethod
    def of(cls, loss: Loss | Named, entries: Mapping[str, str | Named]) -> Names:
        """Return those of a file."""
        own = [name for name, entry in entries.items() if isinstance(entry, Named)]
        return cls(loss.function if isinstance(loss, Named) else None, own)

    @classmethod
    def of_compiled(cls, compiled: Compiled) -> Names:
        """Return those of a model."""
        return cls.of(name_loss(compiled.loss), name_metrics(compiled))

    def without(self, functions: Functions) -> Names:
        """Return the names of what is not there."""
        missing = [name for name in self.metrics if name not in functions.metrics]
        return Names(self.loss if functions.loss is None else None, missing)

    def __bool__(self) -> bool:
        return self.loss is not None or bool(self.metrics)

    def __str__(self) -> str:
        parts = [f"the loss function {self.loss!r}"] if self.loss is not None else []
        return " and ".join(parts + ([f"the metrics {list(self.metrics)}"] if self.metrics else []))

    def arguments(self) -> str:
        """Return how `load` is given the functions."""
        parts = ["loss=..."] if self.loss is not None else []
        return ", ".join(parts + (["metrics=[...]"] if self.metrics else []))


@dataclass(frozen=True)
class Functions:
    """The functions themselves."""

    loss: CustomLoss | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    @classmethod
    def of(cls, compiled: Compiled | None) -> Functions:
        """Return those that a model was compiled with."""
        if compiled is None:
            return cls()
        own = Names.of_compiled(compiled).metrics
        loss = compiled.loss if callable(compiled.loss) else None
        return cls(loss, {name: compiled.metrics[name].function for name in own})

    @classmethod
    def given(cls, loss: Any, chosen: Any) -> Functions:
        """Check the arguments of `load`."""
        if loss is not None and (not callable(loss) or isinstance(loss, type)):
            raise TypeError(f"[load] loss is {loss!r}; give the function f(y_pred, y) -> (loss, grad)")
        if chosen is not None and (isinstance(chosen, str) or not isinstance(chosen, Mapping | Sequence)):
            raise TypeError(f"[load] metrics is {chosen!r}; give functions: a list of them, or a mapping by name")
        named = chosen if isinstance(chosen, Mapping) else {metrics.name_of(metric): metric for metric in chosen or ()}
        for name, metric in named.items():
            if not callable(metric):
                raise TypeError(f"[load] the metric {name!r} is {metric!r}; give the function f(y_true, y_pred)")
        if len(named) < len(chosen or ()):
            raise ValueError(f"[load] some of the metrics have one name of {list(named)}; give a mapping by name")
        return cls(loss, named)

    def check_wanted(self, names: Names) -> None:
        """Refuse functions that a file does not name."""
        if self.loss is not None and names.loss is None:
            raise ValueError("[load] loss is given, but that of the file is no function of the user's; leave it out")
        unknown = [name for name in self.metrics if name not in names.metrics]
        if unknown:
            raise ValueError(
                f"[load] metrics has {unknown}, but the file names the functions {list(names.metrics)}; give these, "
                "under other names as a mapping: metrics={name: function}"
            )

    def choose_loss(self, loss: Loss | Named) -> Loss | CustomLoss | None:
        """Return the loss of a file; None where it is a function that is not here."""
        return self.loss if isinstance(loss, Named) else loss

    def choose_metrics(self, entries: Mapping[str, str | Named]) -> dict[str, str | Metric]:
        """Return the metrics of a file, without functions that are not here."""
        known: dict[str, str | Metric] = {}
        for name, entry in entries.items():
            if isinstance(entry, str):
                known[name] = entry
            elif name in self.metrics:
                known[name] = self.metrics[name]
        return known
