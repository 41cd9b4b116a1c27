"""A network as a table: its layers with their shapes, parameters and costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nnext._decision import Shape
from nnext._engine import Engine
from nnext._state import LayerSize
from nnext.layers import Layer

_TITLES = ("layer", "output", "params", "FLOPs", "bytes")


def table(engine: Engine, input_shape: Shape | None) -> str:
    """Return the table; without an input shape it does not say what depends on that."""
    sizes = {} if input_shape is None else engine.layer_table(input_shape)
    rows = [
        _TITLES,
        *_rows(engine, sizes, engine.layers, "", engine.numbering.layers),
        _row(engine, sizes, "total", "", ""),
    ]
    if not sizes:
        rows = [row[:3] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = "<<>>>"
    return "\n".join("   ".join(f"{cell:{sides[i]}{widths[i]}}" for i, cell in enumerate(row)) for row in rows)


def _rows(
    engine: Engine, sizes: Mapping[str, LayerSize], layers: Sequence[Layer], prefix: str, first: int = 0
) -> Iterator[tuple[str, ...]]:
    """Give a row a layer, those that it holds after it."""
    for i, layer in enumerate(layers, first):
        path = f"{prefix}{i}"
        depth = sum(not part.isdigit() for part in path.split("."))
        frozen = " (frozen)" if _is_frozen(engine, path) else ""
        name = f"{'  ' * depth}{path} {type(layer).__name__}{frozen}"
        shape = f"(n, {', '.join(map(str, sizes[path].output_shape)) if path in sizes else '?'})"
        yield _row(engine, sizes, name, shape, path)
        for branch, held in layer.chains().items():
            yield from _rows(engine, sizes, held, f"{path}.{branch}.")


def _row(engine: Engine, sizes: Mapping[str, LayerSize], name: str, shape: str, path: str) -> tuple[str, ...]:
    """Return a row with the costs of a layer and all that it holds; of all layers for the path ""."""
    within = [size for of, size in sizes.items() if not path or of == path or of.startswith(f"{path}.")]
    flops, size = sum(int(cost.flops) for cost in within), sum(cost.bytes for cost in within)
    return name, shape, f"{count_parameters(engine, f'{path}.' if path else ''):,}", f"{flops:,}", f"{size:,}"


def count_parameters(engine: Engine, prefix: str) -> int:
    """Return how many numbers the parameters have whose paths begin so."""
    tensors = (tensor for tensor in engine.tensors() if tensor.role == "parameter" and tensor.path.startswith(prefix))
    return sum(int(np.prod(tensor.shape)) for tensor in tensors)


def _is_frozen(engine: Engine, path: str) -> bool:
    """Tell whether all layers with parameters at a path, or within what is there, are frozen."""
    owners = {tensor.path.rpartition(".")[0] for tensor in engine.tensors() if tensor.path.startswith(path + ".")}
    return bool(owners) and owners <= set(engine.frozen)
