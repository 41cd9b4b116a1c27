"""Training in a loop of one's own: forward, backward, step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnext import _check, _fit, _sequences
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._samples import Samples
from nnext.model.deciding import Deciding
from nnext.schedules import Schedule

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class OwnLoops(Deciding):
    """The parts of a training step, one by one."""

    @takes_hints
    def forward(
        self,
        X: Any,
        training: bool = True,
        *,
        scale: float | None = None,
        lengths: npt.ArrayLike | None = None,
    ) -> Array:
        """Return the network's output and remember what ``backward`` needs.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, features)
        training : bool
            Whether Dropout acts and BatchNorm1d uses the batch's statistics. ``backward`` needs True. Running
            statistics move with `step`, not here.
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``.
        lengths : array_like of int of shape (n,), optional
            Of padded sequences: how many steps of each count, as in `fit`.

        Returns
        -------
        ndarray of shape (n, outputs)

        Raises
        ------
        ValueError, TypeError
            For samples that `predict` refuses, too, or a `training` that is no bool.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), dtype="float64")
        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
        >>> y = model.forward([[1.0, 2.0]])
        >>> dX = model.backward(2 * (y - 1.0))
        >>> model.step()
        """
        training, factor = _check.flag("forward", "training", training), self._scale("forward", scale)
        return self._engine.forward(_sequences.in_one_array("forward", self._engine, X, lengths), training, factor)

    def backward(self, dY: npt.ArrayLike) -> Array:
        """Compute all gradients from that of the last ``forward``'s output.

        Parameters
        ----------
        dY : array_like of shape (n, outputs)

        Returns
        -------
        ndarray of shape (n, features)
            The gradient of X, or of ``X * scale``. Those of the parameters are in ``grads()``.

        Raises
        ------
        RuntimeError
            Without a ``forward(X, training=True)`` before.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.ReLU())
        >>> y = model.forward([[1.0, -1.0]])
        >>> model.backward([[5.0, 5.0]])
        array([[5., 0.]], dtype=float32)
        """
        return self._engine.backward(dY)

    def grads(self) -> dict[str, Array]:
        """Return the gradients of the last ``backward`` or ``loss_and_grads``, under the names of ``state_dict``.

        Frozen layers have zero gradients, buffers none. They are not clipped: ``step`` does that.

        Raises
        ------
        RuntimeError
            When there are none, or a step has used them up.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), dtype="float64")
        >>> y = model.forward([[1.0, 2.0]])
        >>> dX = model.backward([[1.0]])
        >>> model.grads()["0.weight"]
        array([[1., 2.]])
        """
        return self._engine.gradients()

    def step(self) -> None:
        """Change the parameters along the last gradients, by the compiled optimizer, and the running statistics.

        Raises
        ------
        RuntimeError
            Without ``compile``, without gradients, or while a setting of the optimizer, such as lr, is a schedule: only
            the epochs of `fit` have lengths to follow. Set a number before each step, such as
            ``schedule.values(epoch, steps)[step]``.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1))
        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
        >>> loss, grads = model.loss_and_grads([[1.0, 2.0]], [3.0])
        >>> model.step()
        """
        if self.optimizer is None:
            raise RuntimeError("[step] the model has no optimizer; call compile(loss=..., optimizer=...) first")
        settings = {}
        for name, value in self.optimizer.changing().items():
            if isinstance(value, Schedule):
                raise RuntimeError(
                    f"[step] the optimizer's {name} is {value!r}, but a loop of one's own has no epochs for it to "
                    f"follow; set model.optimizer.{name} = number before each step"
                )
            settings[name] = value
        self._engine.step(settings)

    @takes_hints
    def loss_and_grads(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        scale: float | None = None,
        lengths: npt.ArrayLike | None = None,
    ) -> tuple[float, dict[str, Array]]:
        """Return the loss on a batch and its gradients, in training mode. Changes no parameter.

        Dropout uses the mask of the step to come, so that repeated calls agree.

        Parameters
        ----------
        X, y, sample_weight, scale, lengths
            As in ``fit``.

        Returns
        -------
        loss : float
        grads : dict of str to ndarray
            Under the names of ``state_dict``.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy")
        >>> loss, grads = model.loss_and_grads([[1, 2, 3, 4]], [1])
        >>> grads["2.bias"].shape
        (2,)
        """
        compiled = require(self._compiled, "loss_and_grads")
        given = Samples(_sequences.in_one_array("loss_and_grads", self._engine, X, lengths), y, sample_weight)
        loss = _fit.loss_and_gradients(self, compiled, given, self._scale("loss_and_grads", scale))
        return loss, self.grads()
