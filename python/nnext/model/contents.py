"""A model as the bytes of its file: written, and read with everything in them compared, before anything is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _safetensors
from nnext._decision import NOTHING_SEEN, Seen
from nnext._engine import Engine
from nnext._files import Bytes
from nnext._state import State
from nnext.errors import ModelFormatError
from nnext.model import descriptions
from nnext.model.descriptions import Description

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def pack(engine: Engine, state: State, seen: Seen = NOTHING_SEEN) -> _safetensors.File:
    """Return a file that has a network in a state of it.

    Raises
    ------
    ValueError, TypeError
        When a description has what no file can hold.
    """
    plain = descriptions.write(engine, state, seen)
    descriptions.read(plain)  # so that an error says which entry no file can hold
    trained = {_trained(path): state.tensors[path] for path in state.averages}
    return _safetensors.encode(plain, {**state.tensors, **state.averages, **trained, **_named(state.optimizer)})


def _trained(path: str) -> str:
    """Name a parameter that is trained, where its own name is that of its average."""
    return f"training.{path}"


def _sum(path: str, i: int) -> str:
    """Name a running sum of the optimizer's."""
    return f"optimizer.{path}.{i}"


def _named(sums: Mapping[str, Sequence[Array]]) -> dict[str, Array]:
    return {_sum(path, i): array for path, arrays in sums.items() for i, array in enumerate(arrays)}


@dataclass(frozen=True)
class Contents:
    """What a file holds. The arrays are views of its bytes."""

    description: Description
    parameters: Mapping[str, Array]  # and buffers: what predicts
    trained: Mapping[str, Array]  # the parameters that are trained, where those are averages
    sums: Mapping[str, list[Array]]  # of the optimizer, for each of them

    @classmethod
    def of(cls, data: Bytes | _safetensors.File) -> Contents:
        """Read a file. It takes no more memory than its header asks for.

        Raises
        ------
        ModelFormatError
            When it is none, or its parts do not fit together.
        """
        plain, arrays = data.read() if isinstance(data, _safetensors.File) else _safetensors.decode(data)
        try:
            description = descriptions.read(plain)
            table, sums = description.tensors(), range(description.sums())
        except (ValueError, TypeError) as error:
            raise ModelFormatError(str(error)) from error
        shapes = {tensor.path: tensor.shape for tensor in table}
        names = {tensor.path: [_sum(tensor.path, i) for i in sums if tensor.role == "parameter"] for tensor in table}
        trained = {tensor.path: _trained(tensor.path) for tensor in table if tensor.role == "parameter"}
        if not (description.keeps_averages and arrays.keys() & trained.values()):
            trained = {}
        expected = shapes | {name: shapes[path] for path in names for name in names[path]}
        expected |= {name: shapes[path] for path, name in trained.items()}
        _compare(arrays, expected, description.dtype)
        if description.progress.keys() != shapes.keys():
            raise ModelFormatError(f"it has the progress of {list(description.progress)}, not of {list(shapes)}")
        return cls(
            description,
            {path: arrays[path] for path in shapes},
            {path: arrays[name] for path, name in trained.items()},
            {path: [arrays[name] for name in names[path]] for path in names},
        )

    def not_finite(self) -> str | None:
        """Say which numbers no training can go on from, if there are some."""
        trained = {_trained(path): array for path, array in self.trained.items()}
        for name, array in {**self.parameters, **trained, **_named(self.sums)}.items():
            if wrong := _count_not_finite(array):
                return f"{wrong} of the {array.size} values of {name} are NaN or infinite"
        return None

    def state(self, compiled: bool) -> State:
        """Return what the network goes on from. Not compiled it has no optimizer, and trains no others than predict."""
        trained = self.trained if compiled else {}
        return State(
            tensors={**self.parameters, **trained},
            optimizer={path: arrays if compiled else [] for path, arrays in self.sums.items()},
            progress=self.description.progress,
            counters=self.description.counters,
            position=self.description.position,
            averages={path: self.parameters[path] for path in trained},
        )


def _count_not_finite(array: Array) -> int:
    """Count a block at a time: the answers for all numbers would be a quarter of a file."""
    flat, block = array.reshape(-1), 1 << 16
    return sum(int(np.count_nonzero(~np.isfinite(flat[i : i + block]))) for i in range(0, flat.size, block))


def _compare(arrays: Mapping[str, Array], expected: Mapping[str, tuple[int, ...]], dtype: str) -> None:
    missing, unknown = sorted(expected.keys() - arrays.keys()), sorted(arrays.keys() - expected.keys())
    if missing or unknown:
        raise ModelFormatError(
            f"it lacks the tensors {missing} of its layers and optimizer, and has the unknown {unknown}"
        )
    for name, array in arrays.items():
        if array.dtype != dtype or array.shape != expected[name]:
            raise ModelFormatError(
                f"tensor {name} is {array.dtype} of shape {array.shape}, but its layers make it {dtype} of shape "
                f"{expected[name]}"
            )
