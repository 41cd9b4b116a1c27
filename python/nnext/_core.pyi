"""Types of the C++ core, by hand: what csrc/bindings exposes. `python -m mypy.stubtest nnext._core` compares both.

A network of float32 and one of float64 differ in their arrays only, so both take their methods from `_Network`, which
exists in this file alone.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar, final

import numpy as np
import numpy.typing as npt

__version__: str

_Config = Mapping[str, Any]  # what a layer's, a loss's or an optimizer's config() gives
_Counters = tuple[int, int]  # training steps, epochs
_Progress = list[tuple[int, float]]  # of each tensor: steps of the optimizer, and the product that some rules keep
_Number = TypeVar("_Number", np.float32, np.float64)
_Position = tuple[float, int, int]  # since compile: epochs, and of the one that a fit is in the steps done and all
# tensors, and their averages: None for a buffer, no entry at all where there are none
_Weights = tuple[list[npt.NDArray[_Number]], list[npt.NDArray[_Number] | None]]
# Both; for each tensor the optimizer's arrays, none for a buffer; progress; counters; position.
_State = tuple[
    list[npt.NDArray[_Number]],
    list[npt.NDArray[_Number] | None],
    list[list[npt.NDArray[_Number]]],
    _Progress,
    _Counters,
    _Position,
]

# ---- runtime: bind_runtime.cpp -----------------------------------------------------------------------------------

def isa() -> str: ...
def available_isas() -> list[str]: ...  # this CPU can run them
def compiled_isas() -> list[str]: ...  # this build has them
def available_bf16() -> list[str]: ...  # kernels for products in bf16 that this CPU can run
def select_bf16(name: str) -> None: ...  # for networks compiled from then on
def select_isa(name: str) -> None: ...  # for networks and functions created from then on
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def barriers_passed() -> int: ...  # by all runs of the team so far, for tests
def fix_team(fixed: bool) -> None: ...  # for tests and measurements: as many members as threads, always
def change_team() -> None: ...  # for tests: from piece to piece of a work, up to as many
def last_members() -> int: ...  # that the last run of the team had
def usable_cpus() -> int: ...
def fma_ceiling(float64: bool, threads: int) -> float: ...  # FLOP/s
def cgroup_cpus(proc_cgroup: str | os.PathLike[str], cgroup_root: str | os.PathLike[str]) -> int: ...

# Any array_like as an array, of whatever it holds; refuses what NumPy takes for one thing, such as sparse matrices.
def as_array(object: Any, operation: str, name: str) -> npt.NDArray[Any]: ...
def as_csr(object: Any) -> Any: ...  # a sparse matrix as CSR; None for everything else

# ---- sequences of different lengths: padded.cpp; whatever takes an X takes such ------------------------------------

@final
class Padded(_Built):
    @property
    def values(self) -> Any: ...
    @property
    def lengths(self) -> npt.NDArray[np.uint32]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...  # of the values
    def __len__(self) -> int: ...

def padded(values: Any, lengths: npt.ArrayLike, operation: str) -> Padded: ...

# ---- functions: bind_functional.cpp; float32 from float32 and float16, else float64 ----------------------------------

def activation(name: str, x: npt.ArrayLike, first: float = 0.0, second: float = 0.0) -> npt.NDArray[Any]: ...
def activation_grad(
    name: str, x: npt.ArrayLike, dy: npt.ArrayLike, first: float = 0.0, second: float = 0.0
) -> npt.NDArray[Any]: ...

# "softmax" or "log_softmax"; the gradient if dy is given
def softmax(name: str, x: npt.ArrayLike, dy: npt.ArrayLike | None = None) -> npt.NDArray[Any]: ...
def loss(
    loss: _Config, y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None
) -> tuple[float, npt.NDArray[Any]]: ...
def matmul(
    a: npt.ArrayLike, b: npt.ArrayLike, transpose_a: bool, transpose_b: bool, out: npt.NDArray[Any] | None, /
) -> npt.NDArray[Any]: ...

# ---- networks: bind_network.cpp ----------------------------------------------------------------------------------

class _PybindType(type): ...  # every class of pybind11 has a metaclass of its own

# Objects come from functions alone; the classes cannot be called.
class _Built(metaclass=_PybindType):
    def __init__(self, *args: object, **kwargs: object) -> None: ...

class _Samples(_Built, Generic[_Number]):
    @property
    def rows(self) -> int: ...
    @property
    def weight(self) -> float: ...  # of all together: as many as the rows, where they have none
    @property
    def output_shape(self) -> list[int]: ...  # of the network for each of them

class _FitClaim(_Built):
    def __enter__(self) -> None: ...  # RuntimeError while there is another fit
    def __exit__(self, *args: object) -> None: ...

class _Network(_Built, Generic[_Number]):
    @staticmethod
    def build(
        seed: int,
        layers: Sequence[_Config],
        input_shape: Sequence[int] = [],
        draws: bool = True,
        numbering: tuple[int, int] = (0, 0),  # of the first layer, and of the first that another one holds
    ) -> Any: ...  # a network of the class that is asked
    def slice(self, first: int, last: int) -> Self: ...  # of the same network
    def numbering(self) -> tuple[int, int]: ...
    def told_shape(self) -> list[int]: ...  # empty where it was not told

    # Shapes are those of one sample, as people write it.
    def input_shape(self) -> list[int] | None: ...  # None where it is not known
    def output(self, input_shape: Sequence[int]) -> tuple[list[int], int]: ...  # and the axis of the channels
    def takes_steps(self) -> bool: ...  # samples are sequences, as layers or the told shape say
    # How many steps of the outputs count for samples of such lengths; None where outputs have no steps.
    def output_lengths(self, input_shape: Sequence[int], lengths: Sequence[int]) -> list[int] | None: ...
    # Of each layer: path, output shape, FLOPs, bytes of the output.
    def layers(self, input_shape: Sequence[int]) -> list[tuple[str, list[int], float, int]]: ...

    # Tensors: parameters and buffers, in the order of `tensors()`.
    def tensors(self) -> list[tuple[str, list[int], str]]: ...  # path, shape, "parameter" or "buffer"
    def get_tensors(self) -> list[npt.NDArray[_Number]]: ...  # what predicts: averages, if there are some
    def set_tensors(self, values: dict[int, Any]) -> None: ...  # averages start anew
    def get_weights(self) -> _Weights[_Number]: ...
    def set_weights(self, tensors: list[Any], averages: list[Any]) -> None: ...
    def get_gradients(self) -> list[npt.NDArray[_Number]]: ...
    # Of one moment, also during a fit; with it what set_state leaves: frozen layers, and the number of compile.
    def get_state(self) -> tuple[*_State[_Number], list[str], int]: ...
    def set_state(
        self,
        tensors: list[Any],
        averages: list[Any],
        optimizer_state: list[Any],
        progress: _Progress,
        counters: _Counters,
        position: _Position,
    ) -> None: ...
    def get_counters(self) -> tuple[int, int, int]: ...  # and the most steps of the optimizer with a parameter
    def set_counters(self, counters: _Counters) -> None: ...
    def get_position(self) -> _Position: ...
    def optimizer_states(self) -> list[str]: ...  # names of the arrays that it keeps of each parameter
    def product_name(self) -> str: ...  # of the number that it keeps; "" if it has none

    # What to minimize, and how.
    def compile(
        self,
        loss: _Config | None,
        optimizer: _Config,
        precision: str = "float32",
        clip_norm: float = 0.0,  # 0: no limit
        clip_value: float = 0.0,  # likewise
        accumulate: int = 1,
        ema: float = 0.0,  # 0: no averages
        lr_scale: Sequence[float] = ...,  # for each tensor; none: 1
        number: int = 0,  # the caller's, upwards: after a greater one nothing is changed
    ) -> None: ...
    def compilation(self) -> int: ...  # the number of what was compiled last; 0: it has none
    def find_bf16(self) -> str: ...  # the kernels for precision "bf16"; raises where there are none
    def set_trainable(self, paths: Sequence[str], trainable: bool) -> None: ...
    def frozen(self) -> list[str]: ...  # paths of layers with parameters

    # Whole data sets.
    def samples(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike | None,
        sample_weight: npt.ArrayLike | None,
        operation: str,
        scale: float,
        rows: npt.NDArray[Any] | None = None,  # of x; y and sample_weight are of these
    ) -> _Samples[_Number]: ...
    def fit_epoch(
        self,
        samples: _Samples[_Number],
        outputs: npt.NDArray[_Number] | None,
        batch_size: int,
        shuffle: bool,
        settings: dict[str, float | npt.NDArray[np.float64]],  # of the optimizer: one value, or one for each step
        # instead of the compiled one: (outputs, rows of the samples) -> loss, gradient, and settings from this step on
        loss: Callable[[Any, Any], tuple[float, Any] | tuple[float, Any, dict[str, float]]] | None = None,
        seconds: float | None = None,  # ends after the step in which they are over
    ) -> tuple[float, int, bool, bool]: ...  # loss, steps, whether it diverged, whether steps are left
    def fit_batch(
        self,
        samples: _Samples[_Number],
        outputs: npt.NDArray[_Number] | None,
        settings: dict[str, float],
        steps: int,  # of the epoch that it is part of; 0 where nobody knows
        loss: Callable[[Any, Any], tuple[float, Any] | tuple[float, Any, dict[str, float]]] | None = None,
    ) -> tuple[float, int, bool]: ...  # one step; it counts as no epoch
    def team_use(self) -> tuple[float, float]: ...  # of all fits: operations, and those times the members that did them
    def begin_epoch(self, samples: int, shuffle: bool) -> npt.NDArray[np.uint32]: ...
    def claim_fit(self, keeps: bool) -> _FitClaim: ...  # of the network: one fit at a time
    def predict(
        self, x: npt.ArrayLike | Padded, out: npt.NDArray[_Number] | None, check: bool, scale: float
    ) -> npt.NDArray[_Number]: ...
    def evaluate(self, samples: _Samples[_Number]) -> tuple[float, npt.NDArray[_Number]]: ...
    def outputs(self, samples: _Samples[_Number]) -> npt.NDArray[_Number]: ...

    # Own loops.
    def forward(self, x: npt.ArrayLike | Padded, training: bool, scale: float) -> npt.NDArray[_Number]: ...
    def backward(self, dy: npt.ArrayLike) -> npt.NDArray[_Number]: ...
    def loss_and_gradients(self, samples: _Samples[_Number]) -> float: ...
    def step(self, settings: dict[str, float]) -> None: ...

# What tensors() of such a network would give, without the room for it: sizes may be anybody's claim.
def tensor_table(
    layers: Sequence[_Config], input_shape: Sequence[int] = [], numbering: tuple[int, int] = (0, 0)
) -> list[tuple[str, list[int], str]]: ...

@final
class Samples32(_Samples[np.float32]): ...

@final
class Samples64(_Samples[np.float64]): ...

@final
class FitClaim32(_FitClaim): ...

@final
class FitClaim64(_FitClaim): ...

@final
class Network32(_Network[np.float32]): ...

@final
class Network64(_Network[np.float64]): ...

@final
class Predictor:
    # x is a sample or n of them; out as predict's
    def __call__(self, x: npt.ArrayLike, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]: ...
    def reset(self) -> State: ...
    # x is one step
    def step(
        self, x: npt.ArrayLike, state: State | None = None, out: npt.NDArray[Any] | None = None
    ) -> tuple[npt.NDArray[Any], State]: ...
    @property
    def engine(self) -> Any: ...

@final
class State:  # predictor_steps.cpp; copies go on by themselves
    def __copy__(self) -> State: ...
    def __deepcopy__(self, memo: object, /) -> State: ...

# network must not change any more; engine is what Python knows it by
def make_predictor(network: _Network[Any], engine: object) -> Predictor: ...
