"""onnxruntime, for predictions: one Gemm a layer, input and output bound once to arrays that exist."""

from __future__ import annotations

import importlib.util

import numpy as np
import onnxruntime

from benchmarks.libraries.base import Call, LeftOutError, Library
from benchmarks.works import Net, Weights


class Use(Library):
    """onnxruntime."""

    def about(self) -> str:
        return f"onnxruntime {onnxruntime.__version__}"

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        if importlib.util.find_spec("onnx") is None:
            raise LeftOutError("onnx is not installed, which writes its model")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            _model(net, weights, len(x)), options, providers=["CPUExecutionProvider"]
        )
        binding = session.io_binding()
        y = np.empty((len(x), net.sizes[-1]), np.float32)
        rows, out = (onnxruntime.OrtValue.ortvalue_from_numpy(a) for a in (x, y))
        binding.bind_ortvalue_input("x", rows)
        binding.bind_ortvalue_output("y", out)

        def predict() -> onnxruntime.OrtValue:
            session.run_with_iobinding(binding)
            return out

        return predict


def _model(net: Net, weights: Weights, rows: int) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes, last = [], len(net.sizes) - 2
    for i in range(last + 1):
        names = ["x" if i == 0 else f"a{i - 1}", f"{2 * i}.weight", f"{2 * i}.bias"]
        nodes.append(helper.make_node("Gemm", names, ["y" if i == last else f"z{i}"], transB=1))
        if i < last:
            nodes.append(helper.make_node(net.activation.capitalize(), [f"z{i}"], [f"a{i}"]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, n])
        for name, n in (("x", net.sizes[0]), ("y", net.sizes[-1]))
    ]
    tensors = [numpy_helper.from_array(w, name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    serialized: bytes = model.SerializeToString()
    return serialized
