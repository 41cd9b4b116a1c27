"""onnxruntime, for predictions: all inputs and outputs bound once to arrays that exist."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.libraries.base import Call, LeftOutError, Library, Stepping
from benchmarks.sequence_works import Recurrent
from benchmarks.works import Net, Weights

Value = onnxruntime.OrtValue


class Use(Library):
    """onnxruntime."""

    def about(self) -> str:
        return f"onnxruntime {onnxruntime.__version__}"

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        onnx_models = _models()
        session = self._session(onnx_models.of_rows(net, weights, len(x)))
        out = _value(np.empty((len(x), net.sizes[-1]), np.float32))
        binding = _bound(session, {"x": _value(x)}, {"y": out})

        def predict() -> Value:
            session.run_with_iobinding(binding)
            return out

        return predict

    def stepping(self, net: Recurrent, weights: Weights, x: np.ndarray) -> Stepping:
        """Have a step read what the one before it wrote: there are two states, which change places."""
        onnx_models = _models()
        session = self._session(onnx_models.of_step(net, weights))
        names = onnx_models.STATES[net.cell]
        arrays = [{name: np.zeros((1, 1, net.sizes[1]), np.float32) for name in names} for _ in range(2)]
        states = [{name: _value(array) for name, array in state.items()} for state in arrays]

        def begin() -> int:
            for array in arrays[0].values():
                array[...] = 0
            return 0

        def bindings(x_t: np.ndarray) -> list[onnxruntime.IOBinding]:
            """Return what reads the first state, and what reads the second."""
            value = _value(x_t.reshape(1, 1, -1))
            return [
                _bound(session, {"x": value, **old}, {f"next_{name}": new[name] for name in names})
                for old, new in (states, states[::-1])
            ]

        run, shown = session.run_with_iobinding, [state["h"] for state in arrays]

        def step(x_t: list[onnxruntime.IOBinding], state: int) -> tuple[np.ndarray, int]:
            run(x_t[state])
            return shown[1 - state], 1 - state

        return Stepping(begin, step, [bindings(x_t) for x_t in x])

    def _session(self, model: bytes) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _models() -> Any:
    if importlib.util.find_spec("onnx") is None:
        raise LeftOutError("onnx is not installed, which writes its model")
    return importlib.import_module("benchmarks.libraries.onnx_models")


def _value(array: np.ndarray) -> Value:
    """Return a value whose numbers are those of the array, where they lie."""
    return Value.ortvalue_from_numpy(array)


def _bound(
    session: onnxruntime.InferenceSession, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> onnxruntime.IOBinding:
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_ortvalue_input(name, value)
    for name, value in outputs.items():
        binding.bind_ortvalue_output(name, value)
    return binding
