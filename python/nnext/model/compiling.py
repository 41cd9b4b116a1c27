"""What a training minimizes, how, and what it reports."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from nnext import _check, _decision, _measure, _safetensors, losses
from nnext._calls import takes_hints
from nnext._compiled import Compiled
from nnext._engine import lr_scales
from nnext.losses import CustomLoss, Loss
from nnext.metrics import choose
from nnext.model.deciding import Deciding
from nnext.optimizers import Optimizer


class Compiling(Deciding):
    """A network that can be told how to train."""

    @takes_hints
    def compile(
        self,
        loss: str | Loss | CustomLoss,
        optimizer: str | Optimizer = "adam",
        *,
        metrics: Any = None,
        precision: str = "float32",
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        ema: float | None = None,
    ) -> None:
        """Choose what to minimize, how, and what to report.

        Parameters
        ----------
        loss : str, Loss or callable
            A name of `nnext.losses`, such as "mse" or "cross_entropy", an object such as ``nn.Huber(0.5)``, or any
            ``f(y_pred, y) -> (loss, grad)`` with the gradient of y_pred's shape.
        optimizer : str or Optimizer
            A name of `nnext.optimizers`, such as "sgd" or "adam", or an object with settings. It starts with fresh
            state, and a schedule, such as its ``lr``, with its first step.
        metrics : str, callable, sequence of them, or mapping of name to one, optional
            Names from `nnext.metrics`, also with settings, as ``functools.partial(nn.metrics.f1, average="micro")``, or
            functions ``f(y_true, y_pred) -> float``. A function gets the outputs, (n, outputs), and targets of that
            shape; where the network decides between several classes, labels of shape (n,). Under "bce_with_logits" it
            gets probabilities in place of the outputs. Metrics are weighted by the sample_weight of `fit` and
            `evaluate`, those of Keras' weighted_metrics, and not by class_weight, so that those of training and
            validation compare; a function of your own is if it has a parameter ``sample_weight``.
        precision : {"float32", "bf16"}
            Of the products in training. "bf16" rounds the operands of those of `Linear` layers that are 32 or more wide
            on both sides to 8 bits of mantissa (to nearest even, subnormal numbers to zero) and sums in float32;
            parameters, gradients, activations and the optimizer's sums stay float32, and so do the products of
            `predict`, `evaluate` and validation. It needs a CPU with AMX-BF16 or AVX512-BF16
            (`nnext.runtime.available_bf16`), which have bits of their own; the number of threads changes none.
            "float32" computes in the model's dtype.
        clip_norm : float, optional
            The length, > 0, that the gradients of all trainable parameters together may have in a step of `fit` or
            `step`: longer ones are all multiplied by ``clip_norm / (norm + 1e-6)``, before weight decay is added, as by
            PyTorch's ``clip_grad_norm_``. `grads` shows them as they were.
        clip_value : float, optional
            The size, > 0, that each element of the gradients may have in a step of `fit` or `step`: what lies outside
            of ``[-clip_value, clip_value]`` is set to the nearer end, as by PyTorch's ``clip_grad_value_``, after
            `clip_norm` and before l1 and weight decay are added.
        accumulate : int
            How many batches, >= 1, a step of `fit` takes one after the other: with batches of `batch_size` rows it has
            the bits of a step with ``accumulate * batch_size`` rows, in the memory of one batch. The last step of an
            epoch may have fewer. But `BatchNorm1d` normalizes each batch by its own statistics, and a step moves its
            running statistics once, towards the mean, weighted by rows, of those of its batches. The loss of a
            function of your own is the mean, weighted by rows, of what it says of the batches. `fit` refuses it with
            batches that are handed over, and the batches of an own loop are yours: each `step` takes the last
            gradients.
        ema : float, optional
            The decay, within (0, 1), of an exponential moving average of the parameters: a copy of them after the first
            step, then ``average = ema * average + (1 - ema) * parameter`` after each. Once there are averages, what
            predicts goes by them: `predict`, `evaluate`, validation, `compile_inference`, ``forward(training=False)``,
            `state_dict` and files, which keep the parameters themselves as well. Training goes on with the parameters:
            `fit`, the loss and metrics that it reports of its own samples, and own loops. Buffers, such as running
            statistics, and frozen layers are those of the training. `load_state_dict` sets the parameters, and the
            averages start anew with the next step, as after `compile`.

        Raises
        ------
        ValueError, TypeError
            For unknown names, two metrics of one name, a loss that does not fit the last layer, metrics of classes
            where the network gives numbers, a precision that the model's dtype or the CPU lacks, a clip_norm or
            clip_value that is no finite number greater than 0, an `lr_scale` of the optimizer with a layer that the
            model lacks, an `accumulate` below 1, or above with precision "bf16", whose sums cannot go on from batch to
            batch, or an `ema` that is not within (0, 1), also as a number of the model's dtype. Then nothing has
            changed.
        RuntimeError
            While the model is trained, also in a callback: a fit goes on with what was compiled when it began.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.1), metrics=["accuracy"])

        A step of SGD is lr times the gradient, so no longer than lr times `clip_norm`:

        >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1), clip_norm=1.0)
        >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
        >>> model.step()
        >>> grads["0.weight"], model.state_dict()["0.weight"].round(6)
        (array([[-10.]]), array([[0.1]]))

        The mean of the parameters after the first step and after the second:

        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1), ema=0.5)
        >>> history = model.fit([[1.0], [1.0]], [5.0, 5.0], batch_size=1, verbose=0)
        >>> model.state_dict()["0.weight"].round(6), model.forward([[1.0]]).round(6)
        (array([[1.472]]), array([[1.864]]))
        """
        _safetensors.get_ready()  # now, not after hours of training
        compiled = Compiled(
            loss=losses.get(loss),
            optimizer=Optimizer.find("compile", "optimizer", optimizer),
            metrics=MappingProxyType(choose(metrics)),
            precision=_check.choice("compile", "precision", precision, ("float32", "bf16")),
            clip_norm=None if clip_norm is None else _check.number("compile", "clip_norm", clip_norm, above=0),
            clip_value=None if clip_value is None else _check.number("compile", "clip_value", clip_value, above=0),
            accumulate=_check.integer("compile", "accumulate", accumulate, low=1),
            ema=None if ema is None else _check.number("compile", "ema", ema, above=0, below=1),
        )
        if compiled.ema is not None and self.dtype.type(compiled.ema) == 1:
            raise ValueError(
                f"[compile] ema is {ema!r}, which is 1 in {self.dtype}, so that averages would never change; give less"
            )
        output = None if self.input_shape is None else self._engine.output(self.input_shape)
        _decision.check(self.layers, None if output is None else output.channels, compiled.core_loss)
        seen = self._told.under(compiled)
        if output is not None:
            _measure.check(compiled.metrics, _decision.decide(self.layers, output, compiled.core_loss, seen))
        self._engine.compile(
            compiled.core_loss,
            compiled.optimizer,
            precision=compiled.precision,
            clip_norm=compiled.clip_norm,
            clip_value=compiled.clip_value,
            accumulate=compiled.accumulate,
            ema=compiled.ema,
            lr_scale=lr_scales(compiled.optimizer, self._engine.tensors()),
            record=compiled,
        )
