"""A model as a file."""

from __future__ import annotations

import os
from typing import Any

from nnext import _files, metrics
from nnext._engine import State
from nnext.losses import Loss
from nnext.model.network import Network


class Saving(Network):
    """What writes a network to a file. `nnext.load` reads it."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a safetensors file: architecture, parameters, settings and state of the training.

        Parameters
        ----------
        path : str or path-like
            Replaced as a whole: an interrupted save leaves the old file.

        Examples
        --------
        >>> import nnext as nn, tempfile, os
        >>> model = nn.MLP([4, 3, 2])
        >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
        >>> model.save(path)
        >>> nn.load(path).count_params()
        23
        """
        state = self._engine.state()  # of one moment: a fit may go on meanwhile
        tensors = dict(state.tensors)
        for name, sums in state.optimizer.items():
            tensors |= {f"optimizer.{name}.{i}": values for i, values in enumerate(sums)}
        _files.replace(path, _files.encode(self._describe(state), tensors))

    def _describe(self, state: State) -> dict[str, Any]:
        description: dict[str, Any] = {
            "dtype": self.dtype.name,
            "seed": self.seed,
            "layers": [layer.config() for layer in self.layers],
            "frozen": sorted(self._engine.frozen),
            "counters": list(state.counters),
            "progress": [list(state.progress[path]) for path in state.tensors],
        }
        if self._compiled is not None:
            loss = self._compiled.loss
            description["optimizer"] = self._compiled.optimizer.config()
            description["precision"] = self._compiled.precision
            description["clip_norm"] = self._compiled.clip_norm
            description["loss"] = loss.config() if isinstance(loss, Loss) else None
            description["metrics"] = [name for name in self._compiled.metrics if name in metrics.names()]
        return description
