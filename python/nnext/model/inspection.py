"""A look inside: what layers give, and how outputs and loss depend on X."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _inside, _sequences
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._samples import Samples
from nnext._unknown import shown
from nnext.model.deciding import Deciding

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Inspection(Deciding):
    """What explains a network. It changes nothing, so any number of threads may call it, also during a fit."""

    @takes_hints
    def activations(
        self, X: npt.ArrayLike, layers: Sequence[str | int] | str | int | None = None, *, scale: float | None = None
    ) -> dict[str, Array]:
        """Return what each layer gives for X, in evaluation mode.

        Parameters
        ----------
        X : array_like or sparse matrix
            As in ``predict``.
        layers : sequence of str or int, str, or int, optional
            Which layers: paths as in the names of ``state_dict``, "0" or "2.body.0", or their positions, -1 for the
            last one. Without it all, those within a `Residual` or `Branches` too.
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        dict of str to ndarray
            What the layer at each path gives, of the model's dtype: (n, features), (n, steps, features) or
            (n, channels, height, width). That of the layer "2" has the bits of ``model[:3].predict(X)``.

        Raises
        ------
        ValueError, TypeError
            For samples that `predict` refuses, or a path that no layer has.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.Residual(nn.Linear(3, 3), nn.ReLU()), nn.Linear(3, 1))
        >>> {path: array.shape for path, array in model.activations([[1.0, 2.0]]).items()}
        {'0': (1, 3), '1': (1, 3), '1.body.0': (1, 3), '1.body.1': (1, 3), '2': (1, 1)}
        >>> list(model.activations([[1.0, 2.0]], layers=["1.body.1", -1]))
        ['1.body.1', '2']
        """
        if layers is None:
            chosen = list(_inside.layers_by_path(self._engine))
        else:
            chosen = [_inside.path_of("activations", self._engine, layer) for layer in _listed(layers)]
        X = _sequences.in_one_array("activations", self._engine, X)
        found = _inside.activations(self._engine, X, set(chosen), self._scale("activations", scale))
        return {path: found[path] for path in chosen}

    @takes_hints
    def input_gradient(self, X: npt.ArrayLike, y: npt.ArrayLike, *, scale: float | None = None) -> Array:
        """Return the gradient of each sample's own loss with respect to that sample, in evaluation mode.

        Its size says how much a pixel or feature matters, as saliency maps show (Simonyan, Vedaldi and Zisserman,
        ICLR Workshop 2014); its sign which way the loss grows, as in the fast gradient sign method (Goodfellow, Shlens
        and Szegedy, ICLR 2015).

        Parameters
        ----------
        X : array_like of shape (n, features), (n, steps, features) or (n, channels, height, width)
        y : array_like
            As in ``fit``.
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``. The gradient is with respect to X itself.

        Returns
        -------
        ndarray of X's shape
            Of the model's dtype. Losses are not averaged over samples: row i is the gradient of the loss of sample i
            alone, whatever other samples there are, where PyTorch's ``loss.backward()`` leaves an n-th of it in
            ``X.grad``. A loss function of one's own is called with one sample at a time.

        Raises
        ------
        RuntimeError
            Without ``compile``.
        ValueError, TypeError
            For samples and targets that `evaluate` refuses, and sparse matrices.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), dtype="float64")
        >>> model.load_state_dict({"0.weight": [[2.0, -1.0]], "0.bias": [0.0]})
        >>> model.compile(loss="mse")
        >>> model.input_gradient([[1.0, 1.0], [3.0, 1.0]], [0.0, 0.0])  # 2 (w x - y) w
        array([[  4.,  -2.],
               [ 20., -10.]])
        """
        compiled = require(self._compiled, "input_gradient")
        _inside.refuse_sparse("input_gradient", X)
        scale = self._scale("input_gradient", scale)
        return _inside.input_gradient(self._engine, compiled, self._told.under(compiled), Samples(X, y), scale)

    @takes_hints
    def jacobian(self, X: npt.ArrayLike, *, scale: float | None = None) -> Array:
        """Return the derivative of each output with respect to each number of its sample, in evaluation mode.

        Takes a pass back for each output.

        Parameters
        ----------
        X : array_like of shape (n, features), (n, steps, features) or (n, channels, height, width)
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``. The derivatives are with respect to X itself.

        Returns
        -------
        ndarray of shape (n, outputs, features)
            Of the model's dtype: entry (i, j, k) is that of output j for sample i with respect to ``X[i, k]``. In
            general the shape of `predict`'s result, followed by that of a sample.

        Raises
        ------
        ValueError, TypeError
            For samples that `forward` refuses, and sparse matrices.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), dtype="float64")
        >>> model.load_state_dict({"0.weight": [[2.0, -1.0]], "0.bias": [0.0]})
        >>> model.jacobian([[1.0, 1.0], [0.0, 1.0]])
        array([[[ 2., -1.]],
        <BLANKLINE>
               [[ 0.,  0.]]])
        """
        _inside.refuse_sparse("jacobian", X)
        X = _sequences.in_one_array("jacobian", self._engine, X)
        return _inside.jacobian(self._engine, X, self._scale("jacobian", scale))


def _listed(layers: Any) -> Sequence[Any]:
    """Return a list of layers; one alone stands for a list of it."""
    if isinstance(layers, str | int | np.integer):
        return [layers]
    if not isinstance(layers, Sequence | np.ndarray):
        raise TypeError(
            f"[activations] layers is {shown(layers)}; give a list of paths or positions, such as ['0', -1]"
        )
    return list(layers)
