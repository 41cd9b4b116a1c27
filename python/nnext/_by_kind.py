"""The core's method for each kind of layer and optimizer. This file goes when the core is built from configurations."""

from __future__ import annotations

from typing import Any

from nnext.layers import Activation, Dropout, Flatten, Layer, Linear, Softmax
from nnext.optimizers import SGD, Adagrad, Adam, Optimizer


def add_layer(core: Any, layer: Layer) -> None:
    """Append a layer to a network of the core."""
    config = layer.config()
    match layer:
        case Linear():
            inits = [tuple(config[field].values()) for field in ("weight_init", "bias_init")]  # type, parameters
            padded = [(*init, 0.0, 0.0)[:3] for init in inits]
            core.add_linear(layer.in_features, layer.out_features, layer.bias, *padded)
        case Activation():
            core.add_activation(layer.name, config[layer.argument] if layer.argument else 0.0)
        case Softmax():
            core.add_softmax()
        case Dropout():
            core.add_dropout(layer.p)
        case Flatten():
            core.add_flatten()
        case _:
            raise TypeError(f"[{type(layer).__name__}] cannot be part of a network: the core does not have it")


def set_optimizer(core: Any, optimizer: Optimizer) -> None:
    """Put an optimizer in charge of a network of the core; its sums start afresh."""
    match optimizer:
        case SGD():
            core.set_sgd(optimizer.momentum, optimizer.nesterov, optimizer.weight_decay)
        case Adam():
            core.set_adam(*optimizer.betas, optimizer.eps, optimizer.weight_decay)
        case Adagrad():
            settings = optimizer.lr_decay, optimizer.eps, optimizer.initial_accumulator_value, optimizer.weight_decay
            core.set_adagrad(*settings)
        case _:
            raise TypeError(f"[compile] {type(optimizer).__name__} cannot train a network: the core does not have it")
