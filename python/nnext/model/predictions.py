"""What a network says: outputs, probabilities, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _decision
from nnext._engine import Predictor
from nnext.model.network import Network

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Predictions(Network):
    """Everything that asks a network and does not change it."""

    def predict(
        self,
        X: npt.ArrayLike,
        batch_size: int | None = None,
        out: Array | None = None,
        check: bool = True,
        scale: float = 1.0,
    ) -> Array:
        """Return what the last layer gives for each row of X. Changes nothing, so any number of threads may call it.

        Parameters
        ----------
        X : array_like of shape (n, features)
        batch_size : int, optional
            Taken for Keras' sake; the core chooses its own blocks, and results do not depend on them.
        out : ndarray of shape (n, outputs), optional
            Where to write the result: of the model's dtype, C-contiguous.
        check : bool
            Refuse NaN and infinite values in X. Without it NaN in gives NaN out.
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of shape (n, outputs)
            Of the model's dtype.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict([[1, 2, 3, 4]]).shape
        (1, 2)

        Bytes, taken as numbers from 0 to 1:

        >>> X = np.array([[0, 51, 255]], dtype="uint8")
        >>> nn.Sequential(nn.Identity()).predict(X, scale=1 / 255).round(3)
        array([[0. , 0.2, 1. ]], dtype=float32)
        """
        if batch_size is not None:
            _check.integer("predict", "batch_size", batch_size, low=1)
        return self._engine.predict(X, out, bool(check), scale)

    def compile_inference(self) -> Predictor:
        """Return the network as it is now, frozen, for predictions of one sample in a microsecond.

        Returns
        -------
        Predictor
            Call it with a sample of shape (features,) or rows of shape (n, features), and ``out=`` to write into an
            array of your own. It never changes, also when the model is trained on; any number of threads may call it.

        Raises
        ------
        ValueError
            When the network takes any number of features, that is, has no Linear layer.

        Examples
        --------
        >>> import nnext as nn
        >>> predictor = nn.MLP([4, 3, 2]).compile_inference()
        >>> predictor(np.ones(4, dtype="float32")).shape
        (2,)
        """
        if self.in_features is None:
            raise ValueError(
                "[compile_inference] the network takes any number of features; give it a layer such as Linear(4, 2)"
            )
        return self._engine.predictor()

    def predict_proba(self, X: npt.ArrayLike, scale: float = 1.0) -> Array:
        """Return the probability of each class.

        The outputs themselves after a last Softmax or Sigmoid layer, else their softmax, or their sigmoid with a loss
        on logits. A single output stands for two classes and gives two columns.

        Parameters
        ----------
        X : array_like of shape (n, features)
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of shape (n, classes)

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict_proba([[1, 2, 3, 4]]).sum(axis=1).round(6)
        array([1.], dtype=float32)
        """
        outputs = self._probabilities(X, scale)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_classes(self, X: npt.ArrayLike, scale: float = 1.0) -> Array:
        """Return the most probable class of each sample.

        With several outputs and a binary loss, where a sample may have several labels, 0 or 1 for each output.

        Parameters
        ----------
        X : array_like of shape (n, features)
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of int, of shape (n,), or (n, outputs) for several labels a sample

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict_classes([[1, 2, 3, 4]]).shape
        (1,)
        """
        outputs = self._probabilities(X, scale)
        if outputs.shape[1] == 1:
            return (outputs[:, 0] > 0.5).astype(np.int64)
        if _decision.is_multilabel(self._loss_name, self.layers[-1], outputs.shape[1]):
            return (outputs > 0.5).astype(np.int64)
        classes: Array = outputs.argmax(axis=1)
        return classes

    def _probabilities(self, X: npt.ArrayLike, scale: float) -> Array:
        return _decision.probabilities(self._loss_name, self.layers[-1], self.predict(X, scale=scale))

    @property
    def _loss_name(self) -> str | None:
        return self._compiled.loss_name if self._compiled is not None else None
