"""Descriptions of format 1: initializers by name with two numbers, losses by name, frozen layers as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnext.initializers import Initializer
from nnext.losses import Loss


def upgrade(description: Mapping[str, Any], tensors: int) -> dict[str, Any]:
    """Return the description, of a model with so many tensors, in the present form.

    What does not fit stays as it is, for the reader to refuse.
    """
    upgraded = dict(description)
    upgraded["layers"] = [_layer(config) for config in description["layers"]]
    upgraded["frozen"] = [str(layer) for layer in description["frozen"]]
    *upgraded["counters"], steps = description["counters"]
    upgraded["progress"] = [[steps, 1.0]] * tensors
    if description.get("loss") is not None:
        upgraded["loss"] = Loss.find("load", "loss", description["loss"]).config()
    return upgraded


def _layer(config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    return {key: _initializer(value) if key.endswith("_init") else value for key, value in config.items()}


def _initializer(value: Any) -> Any:
    """{"name": "uniform", "a": -1, "b": 1} -> {"type": "uniform", "low": -1, "high": 1}."""
    if not isinstance(value, dict):
        return value
    now = Initializer.find("load", "initializer", value["name"]).config()
    parameters = [key for key in now if key != "type"]
    return now | dict(zip(parameters, (value["a"], value["b"]), strict=False))
