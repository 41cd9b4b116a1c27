"""Mutations of model files that stay signed: what has a wrong sha256 is refused before anything else is looked at."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnext as nn
from forged import signed
from layer_cases import LAYERS

Raw = Callable[[bytes], bytes]  # changes some bytes in a way that has no idea of what they mean

VALUES: list[Any] = [
    0, 1, -1, 2, 3, 5, 8, 255, 2**13, 2**31 - 1, 2**31, 2**32, 2**53, 2**63, 2**64 - 1, -(2**63), 10**19,
    0.0, -0.0, 0.5, 1.0, 1e-45, 5e-324, 1e-8, 1e30, 1e38, 1e39, 1e308, -1e308, float("nan"), True, False, None,
    "", "0", "same", "float64", "float32", "F64", "add", "bf16", "mse", "relu", "0.weight", "\ud800", "\0", "é" * 99,
    [], {}, [0], [1, 1], [2, 3, 4], [[]], [None], {"function": "f"}, {"type": "ReLU"}, {"type": "Flatten"},
    {"type": "Cosine", "value": 0.1, "epochs": 1, "warmup": 0, "final": 0}, {"type": "zeros"},
]  # fmt: skip
OTHER_LAYERS = [case.layer.config() for case in LAYERS.values() if not case.tensors]
OTHERS = {
    "loss": [loss().config() for loss in nn.Loss.types().values()],
    "seed": [0, 1, 2**64 - 1],
    "precision": ["float32", "bf16"],
    "accumulate": [1, 2, 10**9],
    "clip_norm": [None, 1e-30, 1],
}
NUMBERS = np.array([0, -0.0, 1, -1, 1e-45, 1e-38, 1e-3, 1e3, 3e38, -3e38, np.inf, np.nan, 65504, 2**24])


@dataclass
class Parts:
    """A file, taken apart."""

    table: dict[str, Any]  # the header without its metadata
    description: dict[str, Any]
    numbers: bytearray

    @classmethod
    def of(cls, data: bytes) -> "Parts | None":
        """Take a file apart; None where it is none."""
        try:
            end = 8 + int.from_bytes(data[:8], "little")
            table = json.loads(data[8:end])
            description = json.loads(table.pop("__metadata__")["nnext"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return cls(table, description, bytearray(data[end:])) if isinstance(description, dict) else None

    def file(self) -> bytes:
        """Put them together, signed if they were."""
        text = json.dumps(self.description)
        if "sha256" in self.description:
            text = signed(self.description, {name: self._bytes(entry) for name, entry in self.table.items()})
        header = json.dumps({"__metadata__": {"nnext": text}, **self.table}).encode()
        return len(header).to_bytes(8, "little") + header + self.numbers

    def _bytes(self, entry: Any) -> np.ndarray:
        """Return a tensor's bytes, as far as they can be told."""
        try:
            begin, end = entry["data_offsets"]
            return np.frombuffer(bytes(self.numbers[begin:end]), np.uint8)
        except (TypeError, KeyError, ValueError):
            return np.empty(0, np.uint8)


def mutated(data: bytes, seed: int, raw: Raw) -> bytes:
    """Return another file. One of 16 is changed without regard to what its bytes mean."""
    rng, parts = random.Random(seed), Parts.of(data)
    if parts is None or rng.random() < 1 / 16:
        return raw(data)
    for _ in range(rng.choice([1, 1, 1, 1, 2, 4])):
        rng.choice(CHANGES)(parts, rng, raw)
    return parts.file()


# ---- Values of JSON -------------------------------------------------------------------------------------------------


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return each value within, as what holds it and its key or index there."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


def _alter(tree: dict[str, Any], rng: random.Random) -> None:
    """Give one place another value, take it away, or have it twice."""
    places = _places(tree)
    if not places:
        return
    holder, key = rng.choice(places)
    other_holder, other = rng.choice(places)
    change = rng.randrange(6)
    if change == 0:
        del holder[key]
    elif change == 1 and isinstance(holder, list):
        holder.insert(key, _copy(holder[key]))
    elif change == 2 and isinstance(holder, dict):
        holder[rng.choice([str(other), "type", "?"])] = holder.pop(key)
    elif change == 3:
        holder[key] = _copy(other_holder[other])
    elif change == 4 and isinstance(holder[key], int | float):
        holder[key] = rng.choice([holder[key] + 1, holder[key] - 1, -holder[key], holder[key] * 2, holder[key] / 3])
    else:
        holder[key] = _copy(rng.choice(VALUES))


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


# ---- What can be changed --------------------------------------------------------------------------------------------


def _description(parts: Parts, rng: random.Random, raw: Raw) -> None:
    sha256 = parts.description.pop("sha256", None)
    _alter(parts.description, rng)
    if sha256 is not None:
        parts.description["sha256"] = sha256


def _layer(parts: Parts, rng: random.Random, raw: Raw) -> None:
    """Alter one layer, of which most of a file's meaning is made."""
    layers = parts.description.get("layers")
    if isinstance(layers, list) and layers and isinstance(layer := rng.choice(layers), dict):
        _alter(layer, rng)


def _other_layer(parts: Parts, rng: random.Random, raw: Raw) -> None:
    """Let another layer stand at the place of one: where neither has tensors, the file may well be a model still."""
    places = [(holder, key) for holder, key in _places(parts.description) if isinstance(holder, list)]
    layers = [(holder, key) for holder, key in places if isinstance(holder[key], dict)]
    if layers:
        holder, key = rng.choice(layers)
        holder[key] = _copy(rng.choice(OTHER_LAYERS))


def _other_setting(parts: Parts, rng: random.Random, raw: Raw) -> None:
    name = rng.choice(sorted(OTHERS))
    parts.description[name] = _copy(rng.choice(OTHERS[name]))


def _table(parts: Parts, rng: random.Random, raw: Raw) -> None:
    _alter(parts.table, rng)


def _number(parts: Parts, rng: random.Random, raw: Raw) -> None:
    """Write another number at a place where one may lie."""
    value = rng.choice(NUMBERS).astype(rng.choice(["<f4", "<f8"])).tobytes()
    at = len(value) * rng.randrange(max(1, len(parts.numbers) // len(value)))
    parts.numbers[at : at + len(value)] = value


def _text(parts: Parts, rng: random.Random, raw: Raw) -> None:
    """Change the text of the description; as JSON is strict, most of what comes of it is none."""
    try:
        changed = json.loads(raw(json.dumps(parts.description).encode()))
    except (ValueError, RecursionError):
        return
    if isinstance(changed, dict):
        parts.description = changed


CHANGES: list[Callable[[Parts, random.Random, Raw], None]] = [
    _description, _layer, _layer, _other_layer, _other_layer, _other_setting, _table, _number, _text,
]  # fmt: skip
