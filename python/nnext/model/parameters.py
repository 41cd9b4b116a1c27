"""A network's parameters: in and out by name, trainable or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check
from nnext._calls import takes_hints
from nnext._unknown import shown
from nnext.model.network import Network

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Parameters(Network):
    """What people do with a network's parameters."""

    @takes_hints
    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and buffers under PyTorch's names and shapes.

        Where `compile` was told to keep averages (`ema`), they are in place of the parameters.

        Returns
        -------
        dict of str to ndarray
            "0.weight" of shape (out_features, in_features), "0.bias" of shape (out_features,), and so on; buffers such
            as "1.running_mean"; "2.body.0.weight" within a `Residual`. PyTorch wants tensors:
            ``{name: torch.from_numpy(array) for name, array in model.state_dict().items()}``.

        Examples
        --------
        >>> import nnext as nn
        >>> {name: array.shape for name, array in nn.MLP([4, 3, 2]).state_dict().items()}
        {'0.weight': (3, 4), '0.bias': (3,), '2.weight': (2, 3), '2.bias': (2,)}
        """
        return self._engine.get()

    @takes_hints
    def load_state_dict(self, sd: Mapping[str, npt.ArrayLike], *, strict: bool = True) -> None:
        """Set parameters from arrays. Everything is checked before anything changes.

        Averages of parameters (`ema` of `compile`) start anew with the next step.

        Parameters
        ----------
        sd : mapping of str to array_like
            As ``state_dict`` gives it.
        strict : bool
            Whether the names must be exactly the model's; otherwise others are ignored and missing ones kept.

        Raises
        ------
        ValueError, TypeError
            For missing or unexpected names, wrong shapes, values that are not real numbers, or a `strict` that is no
            bool.

        Examples
        --------
        >>> import nnext as nn
        >>> a, b = nn.MLP([4, 3, 2], seed=1), nn.MLP([4, 3, 2], seed=2)
        >>> b.load_state_dict(a.state_dict())
        """
        strict = _check.flag("load_state_dict", "strict", strict)
        if not isinstance(sd, Mapping):
            raise TypeError(f"[load_state_dict] sd is {shown(sd)}; give a dict of arrays, such as state_dict() returns")
        names = [tensor.path for tensor in self._engine.tensors()]
        missing, unexpected = [n for n in names if n not in sd], [n for n in sd if n not in names]
        if strict and (missing or unexpected):
            raise ValueError(
                f"[load_state_dict] missing {missing}, unexpected {unexpected}; the model has {names}. "
                "Give exactly those, or strict=False"
            )
        self._engine.set({name: sd[name] for name in names if name in sd})

    @takes_hints
    def freeze(self, *names: str | int) -> None:
        """Keep layers as they are in training.

        Parameters
        ----------
        *names : str or int
            Positions of layers, as in the names of ``state_dict``: "0" or 0 for "0.weight" and "0.bias". That of a
            `Residual` or `Branches` stands for all layers within it, "2.body" or "2.branches.0" for one branch, and
            "2.body.0" for one layer.

        Raises
        ------
        ValueError, TypeError
            For a name that no layer with parameters has.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.freeze("0")
        """
        self._set_trainable("freeze", names, False)

    @takes_hints
    def unfreeze(self, *names: str | int) -> None:
        """Let layers change again; the inverse of ``freeze``.

        Parameters
        ----------
        *names : str or int
            As in ``freeze``.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.freeze("0", "2")
        >>> model.unfreeze("2")
        """
        self._set_trainable("unfreeze", names, True)

    def _set_trainable(self, operation: str, names: Sequence[str | int], trainable: bool) -> None:
        tensors = {tensor.path: tensor.holders for tensor in self._engine.tensors()}
        known = dict.fromkeys(path for holders in tensors.values() for path in holders)
        layers = []
        for name in names:
            place = str(name) if isinstance(name, int | np.integer) and not isinstance(name, bool) else name
            if isinstance(place, str) and place in tensors:
                layer = place.rpartition(".")[0]
                raise ValueError(f"[{operation}] {place!r} is an array of a layer; give the whole layer, {layer!r}")
            layers.append(_check.choice(operation, "layer", place, known))
        self._engine.set_trainable(layers, trainable)
