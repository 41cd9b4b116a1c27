"""Engine: the network in the C++ core, under the names of its layers. No other module speaks with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nnext import _check
from nnext._core import Network32, Network64, Padded, Predictor, as_array, as_csr, make_predictor, padded
from nnext._core import tensor_table as _table_of
from nnext._decision import Output, Shape
from nnext._passes import Passes
from nnext._state import FROM_THE_FIRST, Counters, LayerSize, Numbering, Position, State, Tensor
from nnext.layers import Layer
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = [
    "Engine",
    "Padded",
    "Predictor",
    "as_array",
    "as_csr",
    "lr_scales",
    "optimizer_arrays",
    "padded",
    "tensor_table",
]


def tensor_table(
    layers: Iterable[Layer], input_shape: Shape | None = None, numbering: Numbering = FROM_THE_FIRST
) -> list[Tensor]:
    """Return the arrays that a network of these layers would own, without room for one of them.

    ValueError where they do not fit together, or have more numbers than memory has addresses.
    """
    return _tensors(_table_of([layer.config() for layer in layers], list(input_shape or ()), numbering))


def lr_scales(optimizer: Optimizer, tensors: Iterable[Tensor]) -> list[float]:
    """Return the factor on the learning rate that each tensor has; ValueError for a name that none of them has."""
    tensors = list(tensors)
    known = dict.fromkeys(path for tensor in tensors for path in tensor.holders)
    for name in optimizer.lr_scale:
        _check.choice("compile", "layer of lr_scale", name, known)
    nearest = [[name for name in tensor.holders if name in optimizer.lr_scale][-1:] for tensor in tensors]
    return [optimizer.lr_scale[names[0]] if names else 1.0 for names in nearest]


def optimizer_arrays(optimizer: Optimizer) -> list[str]:
    """Return the names of the running sums that an optimizer keeps of each parameter."""
    core: Network32 = Network32.build(0, [])
    core.compile(None, optimizer.rule())
    return core.optimizer_states()


def _tensors(table: Iterable[tuple[str, Sequence[int], str]]) -> list[Tensor]:
    return [Tensor(path, tuple(shape), role) for path, shape, role in table]


class Engine(Passes):
    """A network of the core, or a slice of one: built from layers, trained and asked by arrays.

    Parameters
    ----------
    layers : iterable of Layer
    seed : int
    dtype : numpy.dtype
        float32 or float64.
    input_shape : tuple of int or None
        Of a sample, where it is told.
    draws : bool
        Whether the parameters get start values; others are to be set where they do not.
    numbering : Numbering
        Where the layers are numbered from, where they were a slice.
    """

    def __init__(
        self,
        layers: Iterable[Layer],
        seed: int,
        dtype: np.dtype[Any],
        input_shape: Shape | None = None,
        draws: bool = True,
        numbering: Numbering = FROM_THE_FIRST,
    ) -> None:
        self.layers, self.seed, self.dtype = tuple(layers), seed, dtype
        configs = [layer.config() for layer in self.layers]
        kind = Network32 if dtype == np.float32 else Network64
        self._take(kind.build(seed, configs, list(input_shape or ()), draws, numbering))

    def _take(self, core: Network32 | Network64) -> None:
        self._core, self._records = core, {0: None}
        # predict(X, out, check, scale): the core's own, as one call more is a tenth of the smallest prediction.
        self.predict = core.predict

    def slice(self, first: int, last: int) -> Self:
        """Return an engine of the layers first ... last - 1, whose parameters both share; its training is its own."""
        part = object.__new__(type(self))
        part.layers, part.seed, part.dtype = self.layers[first:last], self.seed, self.dtype
        part._take(self._core.slice(first, last))
        return part

    def twin(self, dtype: np.dtype[Any]) -> Engine:
        """Return the same layers in a network of their own, whose parameters are to be set."""
        return Engine(self.layers, self.seed, dtype, self.told_shape, draws=False, numbering=self.numbering)

    @property
    def numbering(self) -> Numbering:
        """Where its layers are numbered from."""
        return Numbering(*self._core.numbering())

    # ---- shapes and tensors -------------------------------------------------------------------------------------

    @property
    def told_shape(self) -> Shape | None:
        """The shape of a sample, where it was told, by itself or by what comes before a slice."""
        return tuple(self._core.told_shape()) or None

    @property
    def input_shape(self) -> Shape | None:
        """The shape of a sample, as it was told or as the first layers alone take it; None where many are possible."""
        shape = self.told_shape or self._core.input_shape()
        return None if shape is None else tuple(shape)

    def output(self, input_shape: Shape) -> Output:
        """Return what the network gives for such a sample."""
        shape, axis = self._core.output(list(input_shape))
        return Output(tuple(shape), axis)

    @property
    def takes_steps(self) -> bool:
        """Whether samples are sequences, as its first layers or the shape that it was told say."""
        return self._core.takes_steps()

    def output_lengths(self, input_shape: Shape, lengths: Array) -> Array | None:
        """Return how many steps of the outputs count for samples of such lengths; None where these have no steps."""
        found = self._core.output_lengths(list(input_shape), lengths.tolist())
        return None if found is None else np.array(found)

    def output_of(self, X: Any) -> Output:
        """Return what the network gives for such samples; for samples that it does not take that for its own."""
        known = self.input_shape
        try:
            return self.output(tuple(np.shape(X)[1:]) or (1,))
        except ValueError:
            if known is None:
                raise
            return self.output(known)

    def layer_table(self, input_shape: Shape) -> dict[str, LayerSize]:
        """Return how large the layers are for such a sample, by their paths."""
        layers = self._core.layers(list(input_shape))
        return {path: LayerSize(tuple(shape), flops, size) for path, shape, flops, size in layers}

    def tensors(self) -> list[Tensor]:
        """Return the arrays that the network owns, layer after layer."""
        return _tensors(self._core.tensors())

    def _named(self, arrays: Iterable[Any]) -> dict[str, Any]:
        return {tensor.path: array for tensor, array in zip(self.tensors(), arrays, strict=True)}

    def get(self) -> dict[str, Array]:
        """Return copies of all tensors that predict, by path: averages in place of parameters, if there are some."""
        return self._named(self._core.get_tensors())

    def set(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """Set some tensors; all are checked before one changes. Averages start anew."""
        places = {tensor.path: i for i, tensor in enumerate(self.tensors())}
        self._core.set_tensors({places[path]: array for path, array in values.items()})

    def weights(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return copies of all tensors as they are trained, and of the averages of parameters, if there are some."""
        tensors, averages = self._core.get_weights()
        return self._named(tensors), self._averages(averages)

    def set_weights(self, tensors: Mapping[str, Array], averages: Mapping[str, Array]) -> None:
        """Set both."""
        self._core.set_weights(self._listed(tensors), self._listed(averages))

    def _averages(self, arrays: Sequence[Any]) -> dict[str, Array]:
        return {path: array for path, array in (self._named(arrays) if arrays else {}).items() if array is not None}

    def _listed(self, arrays: Mapping[str, Any]) -> list[Any]:
        return [arrays.get(tensor.path) for tensor in self.tensors()] if arrays else []

    def gradients(self) -> dict[str, Array]:
        """Return the gradients of the last backward pass, of all parameters by path."""
        arrays: Sequence[Any] = self._core.get_gradients()
        return {t.path: array for t, array in zip(self.tensors(), arrays, strict=True) if t.role == "parameter"}

    @property
    def frozen(self) -> list[str]:
        """Paths of the layers with parameters that do not train."""
        return self._core.frozen()

    def set_trainable(self, layers: Sequence[str], trainable: bool) -> None:
        """Let the layers at these paths change in training, or keep them as they are."""
        self._core.set_trainable(list(layers), trainable)

    # ---- the state of a training --------------------------------------------------------------------------------

    @property
    def counters(self) -> tuple[int, int, int]:
        """Training steps, epochs, and steps of the optimizer so far."""
        return self._core.get_counters()

    def set_counters(self, counters: Counters) -> None:
        """Continue with the random numbers of other steps and epochs."""
        self._core.set_counters(counters)

    @property
    def position(self) -> Position:
        """How far the training has come."""
        return Position(*self._core.get_position())

    def state(self) -> State:
        """Return copies of everything, of one moment, also while others train, compile or freeze."""
        (tensors, averages, sums, progress, counters, position, frozen), record = self._with_record(self._read_state)
        named = self._named(tensors), self._named(sums), self._named(progress)
        return State(*named, counters, Position(*position), self._averages(averages), frozen, record)

    def _read_state(self) -> tuple[Any, int]:
        *state, compilation = self._core.get_state()
        return state, compilation

    def set_state(self, state: State) -> None:
        """Continue from a state of the same network with the same optimizer."""
        tensors, averages = self._listed(state.tensors), self._listed(state.averages)
        sums, progress = [list(arrays) for arrays in self._listed(state.optimizer)], self._listed(state.progress)
        self._core.set_state(tensors, averages, sums, progress, state.counters, state.position)

    # ---- predictions --------------------------------------------------------------------------------------------

    def predictor(self) -> Predictor:
        """Return the network as it is now, for predictions alone."""
        twin = self.twin(self.dtype)
        twin.set(self.get())
        return twin.as_predictor()

    def as_predictor(self) -> Predictor:
        """Return this network for predictions alone; it must not change any more."""
        return make_predictor(self._core, self)
