"""What a network says: outputs, probabilities, classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from nnext import _check, _sequences
from nnext._calls import hides_unknown, refuse_unknown, takes_hints
from nnext._decision import Decision
from nnext._engine import Predictor
from nnext.model.deciding import Deciding

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Predictions(Deciding):
    """Everything that asks a network and does not change it."""

    @hides_unknown
    def predict(
        self,
        X: Any,
        batch_size: int | None = None,
        out: Array | None = None,
        *,
        check: bool = True,
        scale: float | None = None,
        lengths: npt.ArrayLike | None = None,
        **unknown: Never,
    ) -> Any:
        """Return what the last layer gives for each row of X. Changes nothing, so any number of threads may call it.

        Parameters
        ----------
        X : array_like of shape (n, features), (n, steps, features) or (n, channels, height, width), or sparse matrix
            Or one sample, without the first axis. With one feature, (n,) are n samples; (n, height, width) are images
            of one channel. Sequences of different lengths may be a list of arrays (steps, features).
        batch_size : int, optional
            Taken for Keras' sake; the core chooses its own blocks, and results do not depend on them.
        out : ndarray of the result's shape, optional
            Where to write the result: of the model's dtype, C-contiguous.
        check : bool
            Refuse NaN and infinite values in X. Without it NaN in gives NaN out.
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``. Without it 1, and a warning where the last `fit` had
            another.
        lengths : array_like of int of shape (n,), optional
            Of padded sequences: how many steps of each count, as in `fit`.

        Returns
        -------
        ndarray of shape (n, outputs), or (outputs,) for one sample
            Of the model's dtype; (n, steps, outputs) or (n, channels, height, width) where the last layer gives such.
            After the end of a padded sequence outputs of steps are 0. For a list of sequences they are a list, too.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict([[1, 2, 3, 4]]).shape
        (1, 2)
        >>> nn.MLP([4, 3, 2]).predict([1, 2, 3, 4]).shape
        (2,)

        Bytes, taken as numbers from 0 to 1:

        >>> X = np.array([[0, 51, 255]], dtype="uint8")
        >>> nn.Sequential(nn.Identity()).predict(X, scale=1 / 255).round(3)
        array([[0. , 0.2, 1. ]], dtype=float32)
        """
        if unknown:
            refuse_unknown(self.predict, unknown)
        if batch_size is not None:
            _check.integer("predict", "batch_size", batch_size, low=1)
        # A prediction of a small network takes half a microsecond: what is as usual costs a comparison each.
        if check is not True:
            check = _check.flag("predict", "check", check)
        if scale is None:
            scale = 1.0 if self._told.scale is None else self._scale("predict", None)
        if lengths is not None or type(X) in (list, tuple):
            X = _sequences.as_samples("predict", self._engine, X, lengths)
            if isinstance(X, _sequences.Ragged):
                if out is not None:
                    raise TypeError("[predict] X is a list of sequences, whose results are no one array; leave out out")
                return _sequences.predict("predict", self._engine, X, check, scale)
        try:
            return self._engine.predict(X, out, check, scale)
        except TypeError:
            if not _sequences.are_ragged(X):  # an array of objects, which are sequences
                raise
        return self.predict(list(X), out=out, check=check, scale=scale)

    def compile_inference(self) -> Predictor:
        """Return the network as it is now, frozen, for predictions of one sample in a microsecond.

        Returns
        -------
        Predictor
            Call it with a sample of shape (features,) or rows of shape (n, features), and ``out=`` to write into an
            array of your own. It never changes, also when the model is trained on; any number of threads may call it.
            A sequence may go through it a step at a time: ``state = predictor.reset()`` begins one, and ``y, state =
            predictor.step(x, state)`` gives what `predict` gives at that step.

        Raises
        ------
        ValueError
            When the network takes samples of several shapes: it has no Linear layer, or no `input_shape`.

        Examples
        --------
        >>> import nnext as nn
        >>> predictor = nn.MLP([4, 3, 2]).compile_inference()
        >>> predictor(np.ones(4, dtype="float32")).shape
        (2,)
        """
        if self.input_shape is None and not self._engine.takes_steps:
            raise ValueError(
                "[compile_inference] the network takes samples of several shapes; give it a layer such as "
                "Linear(4, 2), or input_shape=(1, 28, 28)"
            )
        return self._engine.predictor()

    @takes_hints
    def predict_proba(self, X: Any, *, scale: float | None = None, lengths: npt.ArrayLike | None = None) -> Any:
        """Return the probability of each class, as the `decision` has it.

        The outputs themselves after a last Softmax or Sigmoid layer, else their softmax, or their sigmoid with a loss
        on logits. A single output stands for two classes and gives two columns. Several outputs under a binary loss are
        labels of their own, unless all targets so far had one label a sample: then the probabilities are divided by
        their sum.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, features), or (features,) for one sample; whatever `predict` takes
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``.
        lengths : array_like of int of shape (n,), optional
            Of padded sequences: how many steps of each count, as in `fit`.

        Returns
        -------
        ndarray of shape (n, classes), or (classes,) for one sample

        Raises
        ------
        ValueError
            Where the outputs are numbers, as under "mse" after a Linear layer, or no probabilities.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict_proba([[1, 2, 3, 4]]).sum(axis=1).round(6)
        array([1.], dtype=float32)
        """
        return self._decided("predict_proba", X, scale, lengths, Decision.probabilities)

    @takes_hints
    def predict_classes(self, X: Any, *, scale: float | None = None, lengths: npt.ArrayLike | None = None) -> Any:
        """Return the class of each sample, as the `decision` has it.

        The largest of several outputs; of a single one, whether it says more than 1/2. Under a binary loss with several
        outputs, 0 or 1 for each of them, unless all targets so far had one label a sample.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, features), or (features,) for one sample; whatever `predict` takes
        scale : float, optional
            A factor on X, not 0: the network sees ``X * scale``.
        lengths : array_like of int of shape (n,), optional
            Of padded sequences: how many steps of each count, as in `fit`.

        Returns
        -------
        ndarray of shape (n,), or (n, outputs) for several labels a sample
            int, or str where the targets were names; for one sample without the first axis.

        Raises
        ------
        ValueError
            Where the outputs are numbers, as under "mse" after a Linear layer.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict_classes([[1, 2, 3, 4]]).shape
        (1,)
        """
        return self._decided("predict_classes", X, scale, lengths, lambda of, outputs: of.named(of.decided(outputs)))

    def _decided(
        self,
        operation: str,
        X: Any,
        scale: float | None,
        lengths: npt.ArrayLike | None,
        decide: Callable[[Decision, Array], Array],
    ) -> Any:
        """Return what the outputs of samples say, or of sequences in a list a list."""
        factor, X = self._scale(operation, scale), _sequences.as_samples(operation, self._engine, X, lengths)
        if isinstance(X, _sequences.Ragged):
            outputs = _sequences.predict(operation, self._engine, X, True, factor)
            decision = self._decide(self._engine.output_of(X))
            if not isinstance(outputs, list):
                return decide(decision, outputs)
            return [decide(replace(decision, space=()), steps) for steps in outputs]
        outputs, decision, one = self._outputs(X, factor)
        found = decide(decision, outputs)
        return np.asarray(found[0]) if one else found

    def _outputs(self, X: Any, scale: float) -> tuple[Array, Decision, bool]:
        """Return outputs of samples, what they decide, and whether they are those of one sample alone."""
        outputs, known = self._engine.predict(X, None, True, scale), self.input_shape
        one = known is not None and outputs.ndim == len(self._engine.output(known).shape)
        output = self._engine.output(known) if one and known is not None else self._engine.output_of(X)
        return outputs[None] if one else outputs, self._decide(output), one
