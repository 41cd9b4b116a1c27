"""Descriptions of format 1: initializers by name with two numbers, losses by name, frozen layers as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnext.initializers import Initializer
from nnext.losses import Loss


def upgrade(description: Mapping[str, Any], tensors: Iterable[str]) -> dict[str, Any]:
    """Return the description, of a file with these tensors, in the present form.

    Raises
    ------
    ValueError, TypeError
        When it is not in the form of format 1. What an entry says is for the reader to check.
    """
    try:
        *counters, steps = description["counters"]
        upgraded = {
            **description,
            "layers": [_layer(config) for config in description["layers"]],
            "frozen": [str(layer) for layer in description["frozen"]],
            "counters": counters,
            "progress": {name: [steps, 1.0] for name in tensors if not name.startswith("optimizer.")},
        }
        if "optimizer" in description:
            loss = description["loss"]
            upgraded["metrics"] = {name: name for name in description["metrics"]}
            upgraded["loss"] = {"function": "loss"} if loss is None else Loss.find("load", "loss", loss).config()
    except KeyError as missing:
        raise ValueError(f"its description of format 1 lacks {missing}") from None
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
