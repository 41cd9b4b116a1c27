"""The networks as ONNX models, one operator a layer. The process that runs them needs onnx, which writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from benchmarks.sequence_works import GATES, Convolutional, Recurrent
from benchmarks.works import Net, Weights

STATES = {"RNN": ("h",), "GRU": ("h",), "LSTM": ("h", "c")}
ORDER = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}  # ONNX's gates are PyTorch's number so and so


def of_rows(net: Net, weights: Weights, rows: int) -> bytes:
    """Return the model from ``x``, so many samples, to ``y``."""
    nodes, tensors = _layers(net, weights)
    ends = {"x": (rows, *net.sample_shape)}, {"y": (rows, net.sizes[-1])}
    return _model(nodes, *ends, tensors)


def of_step(net: Recurrent, weights: Weights) -> bytes:
    """Return the model of a step from ``x`` and the states, "h" and "c", to ``next_h`` and ``next_c``."""
    names, shape = STATES[net.cell], (1, 1, net.sizes[1])  # (directions, rows, hidden)
    outputs = ["", *(f"next_{name}" for name in names)]
    nodes = [_recurrent_node(net, ["x", "w_ih", "w_hh", "b", "", *names], outputs)]
    inputs = {"x": (1, 1, net.sizes[0]), **dict.fromkeys(names, shape)}  # x is (steps, rows, features)
    return _model(nodes, inputs, dict.fromkeys(outputs[1:], shape), _recurrent_tensors(net, weights))


@singledispatch
def _layers(net: Net, weights: Weights) -> tuple[list[Any], Weights]:
    """Return the nodes from x to y, and their tensors."""
    nodes, last = [], len(net.sizes) - 2
    for i in range(last + 1):
        nodes.append(_linear("x" if i == 0 else f"a{i - 1}", 2 * i, "y" if i == last else f"z{i}"))
        if i < last:
            nodes.append(helper.make_node(net.activation.capitalize(), [f"z{i}"], [f"a{i}"]))
    return nodes, weights


@_layers.register
def _recurrent(net: Recurrent, weights: Weights) -> tuple[list[Any], Weights]:
    """Return them for a recurrent layer: steps come first in ONNX, and the state has an axis for directions."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        _recurrent_node(net, ["steps", "w_ih", "w_hh", "b"], ["", "h"]),
        helper.make_node("Squeeze", ["h", "directions"], ["state"]),
        _linear("state", 1, "y"),
    ]
    linear = {name: weights[name] for name in ("1.weight", "1.bias")}
    return nodes, {**_recurrent_tensors(net, weights), **linear, "directions": np.zeros(1, np.int64)}


@_layers.register
def _convolutional(net: Convolutional, weights: Weights) -> tuple[list[Any], Weights]:
    nodes, given = [], "x"
    for i in range(len(net.sizes) - 2):
        nodes.append(helper.make_node("Conv", [given, f"{2 * i}.weight", f"{2 * i}.bias"], [f"z{i}"]))
        nodes.append(helper.make_node("Relu", [f"z{i}"], [given := f"a{i}"]))
    nodes.append(helper.make_node("GlobalAveragePool", [given], ["means"]))
    nodes.append(helper.make_node("Flatten", ["means"], ["channels"]))
    return [*nodes, _linear("channels", net.linear, "y")], weights


def _linear(x: str, layer: int, y: str) -> Any:
    return helper.make_node("Gemm", [x, f"{layer}.weight", f"{layer}.bias"], [y], transB=1)


def _recurrent_node(net: Recurrent, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    # PyTorch's GRU multiplies r with what comes from the state after the product.
    settings = {"linear_before_reset": 1} if net.cell == "GRU" else {}
    return helper.make_node(net.cell, inputs, outputs, hidden_size=net.sizes[1], **settings)


def _recurrent_tensors(net: Recurrent, weights: Weights) -> Weights:
    """Return the parameters with an axis for directions, gates in ONNX's order, the two biases in one."""

    def ordered(name: str) -> np.ndarray:
        gates = np.split(weights[f"0.{name}_l0"], GATES[net.cell])
        return np.concatenate([gates[gate] for gate in ORDER[net.cell]])[None]

    biases = np.concatenate([ordered("bias_ih"), ordered("bias_hh")], axis=1)
    return {"w_ih": ordered("weight_ih"), "w_hh": ordered("weight_hh"), "b": biases}


def _model(
    nodes: Iterable[Any],
    inputs: Mapping[str, tuple[int, ...]],
    outputs: Mapping[str, tuple[int, ...]],
    tensors: Weights,
) -> bytes:
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in end.items()]
        for end in (inputs, outputs)
    ]
    graph = helper.make_graph(
        nodes, "network", *ends, [numpy_helper.from_array(w, name) for name, w in tensors.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    serialized: bytes = model.SerializeToString()
    return serialized
