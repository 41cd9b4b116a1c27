"""The graph of a network's layers, as TensorBoard draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnext.layers import Layer

Shape = tuple[int, ...]


def layer_graph(layers: Sequence[Layer], first: int, shapes: Mapping[str, Shape]) -> Any:
    """Return TensorBoard's GraphDef: a node a layer, within a box for each layer that holds others.

    Parameters
    ----------
    layers : sequence of Layer
    first : int
        The number of the first one.
    shapes : mapping of str to tuple of int
        What the layers at these paths give for a sample, where that is known.
    """
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.versions_pb2 import VersionDef

    graph = _Graph(shapes)
    graph.node("X", "input", [], {}, None)
    graph.chain(layers, first, "", "", "X")
    return GraphDef(node=graph.nodes, versions=VersionDef(producer=22))


class _Graph:
    """Nodes, each of which names those that it reads."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes, self.nodes = shapes, list[Any]()

    def chain(self, layers: Sequence[Layer], first: int, path: str, box: str, x: str) -> str:
        """Add layers that follow each other, the first of which reads x; return what the last one is called."""
        for i, layer in enumerate(layers, first):
            x = self.layer(layer, f"{path}{i}", f"{box}{i}_{type(layer).__name__}", x)
        return x

    def layer(self, layer: Layer, path: str, name: str, x: str) -> str:
        """Add a layer and what it holds; return what its output is called."""
        settings, kind, inputs = layer.config(), type(layer).__name__, [x]
        if chains := layer.chains():
            inputs = [self.chain(held, 0, f"{path}.{i}.", f"{name}/{i}/", x) for i, held in chains.items()]
            settings = {setting: value for setting, value in settings.items() if not isinstance(value, list)}
            name = f"{name}/join"
        self.node(name, kind, inputs, settings, self.shapes.get(path))
        return name

    def node(self, name: str, kind: str, inputs: list[str], settings: Mapping[str, Any], shape: Shape | None) -> None:
        """Add a node; its settings are shown as text."""
        from tensorboardX.proto.attr_value_pb2 import AttrValue
        from tensorboardX.proto.node_def_pb2 import NodeDef
        from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

        shown = {key: AttrValue(s=str(value).encode()) for key, value in settings.items() if key != "type"}
        if shape is not None:
            dims = [TensorShapeProto.Dim(size=size) for size in (-1, *shape)]  # -1: of any number of samples
            shown["_output_shapes"] = AttrValue(list=AttrValue.ListValue(shape=[TensorShapeProto(dim=dims)]))
        self.nodes.append(NodeDef(name=name, op=kind, input=inputs, attr=shown))
