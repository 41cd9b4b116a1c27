"""Engine: the network in the C++ core, under the names of its layers. No other module speaks with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _by_kind
from nnext._core import Network32, Network64, Predictor, make_predictor
from nnext.layers import Flatten, Layer
from nnext.losses import Loss
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["Engine", "Predictor", "State", "Tensor"]

Counters = tuple[int, int, int]  # training steps, epochs, steps of the optimizer


class Tensor(NamedTuple):
    """An array that the network owns."""

    path: str  # "0.weight": of the layer, then its own
    shape: tuple[int, ...]
    role: str  # "parameter"


@dataclass(frozen=True)
class State:
    """What decides how a network goes on, at one moment."""

    tensors: Mapping[str, Array]
    optimizer: Mapping[str, Sequence[Array]]  # its running sums, for each parameter
    counters: Counters


class Engine:
    """A network of the core: built from layers, trained and asked by arrays. Checks of arrays are the core's.

    Parameters
    ----------
    layers : iterable of Layer
    seed : int
    dtype : numpy.dtype
        float32 or float64.
    """

    def __init__(self, layers: Iterable[Layer], seed: int, dtype: np.dtype[Any]) -> None:
        self.layers, self.seed, self.dtype = tuple(layers), seed, dtype
        self.frozen: frozenset[str] = frozenset()  # paths of layers
        self._core = _build(self.layers, seed, dtype)
        self._flatten = isinstance(self.layers[0], Flatten)  # samples may have any shape
        self.out_features(self.in_features or 1)  # the layers fit together, or it raises

    # ---- shapes and tensors -------------------------------------------------------------------------------------

    @property
    def in_features(self) -> int | None:
        """Features of a sample; None where any number is taken."""
        return self._core.in_features() or None

    def out_features(self, in_features: int) -> int:
        """Return the outputs for samples of so many features."""
        return self._core.out_features(in_features)

    def tensors(self) -> list[Tensor]:
        """Return the arrays that the network owns, layer after layer."""
        return [Tensor(f"{layer}.{name}", tuple(shape), "parameter") for layer, name, shape in self._core.parameters()]

    def _named(self, arrays: Iterable[Any]) -> dict[str, Any]:
        return {tensor.path: array for tensor, array in zip(self.tensors(), arrays, strict=True)}

    def get(self) -> dict[str, Array]:
        """Return copies of all tensors by path."""
        return self._named(self._core.get_parameters())

    def set(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """Set some tensors; all are checked before one changes."""
        places = {tensor.path: i for i, tensor in enumerate(self.tensors())}
        self._core.set_parameters({places[path]: array for path, array in values.items()})

    def gradients(self) -> dict[str, Array]:
        """Return the gradients of the last backward pass by path."""
        return self._named(self._core.get_gradients())

    def set_trainable(self, layer: str, trainable: bool) -> None:
        """Let the layer at a path change in training, or keep it as it is."""
        self._core.set_trainable(int(layer), trainable)
        self.frozen = self.frozen - {layer} if trainable else self.frozen | {layer}

    # ---- the state of a training --------------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """Training steps, epochs and steps of the optimizer so far; they name the random streams."""
        return self._core.counters

    @counters.setter
    def counters(self, counters: Counters) -> None:
        self._core.counters = counters

    def optimizer_arrays(self) -> int:
        """Return how many running sums the optimizer keeps of each parameter."""
        return self._core.optimizer_states()

    def state(self) -> State:
        """Return copies of everything, of one moment, also while a fit goes on."""
        parameters, sums, counters = self._core.get_state()
        return State(self._named(parameters), self._named(sums) if sums else {}, counters)

    def set_state(self, state: State) -> None:
        """Continue from a state of the same network with the same optimizer."""
        self.set(state.tensors)
        for i, tensor in enumerate(self.tensors()):
            for k, values in enumerate(state.optimizer.get(tensor.path, ())):
                self._core.set_optimizer_state(i, k, values)
        self.counters = state.counters

    # ---- training -----------------------------------------------------------------------------------------------

    def check_precision(self, precision: str) -> None:
        """Raise ValueError where products cannot be computed in that precision."""
        if precision == "bf16":
            self._core.find_bf16()

    def compile(self, loss: Loss | None, optimizer: Optimizer, precision: str) -> None:
        """Take a loss, None where it is computed outside, and an optimizer, which starts afresh."""
        self.check_precision(precision)
        _by_kind.set_optimizer(self._core, optimizer)  # first: its arrays may find no memory
        if loss is not None:
            fused = loss.fused(type(self.layers[-1]).__name__)
            self._core.set_loss((fused or loss).name, fused is not None)
        self._core.set_precision(precision)

    def samples(self, X: npt.ArrayLike, y: npt.ArrayLike, weight: Any, operation: str, scale: float) -> Any:
        """Return samples, checked, for `fit_epoch`, `evaluate` and `loss_and_gradients`: an object with `rows`."""
        return self._core.samples(X, y, weight, self._flatten, operation, scale)

    def rows(self, X: npt.ArrayLike, operation: str, scale: float) -> Array:
        """Return X as `forward` reads it."""
        return self._core.rows(X, self._flatten, operation, scale)

    def begin_fit(self, token: int) -> None:
        """Claim the network; RuntimeError while another fit has it."""
        self._core.begin_fit(token)

    def end_fit(self, token: int) -> None:
        """Give the network back, if that fit has it."""
        self._core.end_fit(token)

    def fit_epoch(
        self, samples: Any, outputs: Any, batch_size: int, shuffle: bool, lr: float
    ) -> tuple[float, int, bool]:
        """Go through all samples once; return the loss, the number of steps, and whether it diverged."""
        return self._core.fit_epoch(samples, outputs, batch_size, shuffle, lr)

    def begin_epoch(self, samples: int, shuffle: bool) -> Array:
        """Count an epoch and return the order of its samples."""
        return self._core.begin_epoch(samples, shuffle)

    def keep_copy(self) -> None:
        """Remember the state, for `go_back`."""
        self._core.keep_copy()

    def go_back(self) -> None:
        """Return to the last remembered state that is finite."""
        self._core.go_back()

    def parameters_finite(self) -> bool:
        """Tell whether no parameter is NaN or infinite."""
        return self._core.parameters_finite()

    def forward(self, X: npt.ArrayLike, training: bool, scale: float) -> Array:
        """Return the outputs, and remember what `backward` needs."""
        return self._core.forward(X, training, self._flatten, scale)

    def backward(self, dY: npt.ArrayLike) -> Array:
        """Compute all gradients; return that of the input."""
        return self._core.backward(dY)

    def loss_and_gradients(self, samples: Any) -> float:
        """Return the loss, and compute all gradients."""
        return self._core.loss_and_gradients(samples)

    def step(self, lr: float) -> None:
        """Change the parameters along the gradients."""
        self._core.step(lr)

    # ---- predictions --------------------------------------------------------------------------------------------

    def evaluate(self, samples: Any) -> tuple[float, Array]:
        """Return the loss and the outputs."""
        return self._core.evaluate(samples)

    def predict(self, X: npt.ArrayLike, out: Any, check: bool, scale: float) -> Array:
        """Return the outputs, in `out` if it is given."""
        return self._core.predict(X, out, check, self._flatten, scale)

    def predictor(self) -> Predictor:
        """Return the network as it is now, for predictions alone."""
        frozen = _build(self.layers, self.seed, self.dtype)
        frozen.set_parameters(dict(enumerate(self._core.get_parameters())))
        return make_predictor(frozen, self._flatten)


def _build(layers: Iterable[Layer], seed: int, dtype: np.dtype[Any]) -> Network32 | Network64:
    core = (Network32 if dtype == np.float32 else Network64)(seed)
    for layer in layers:
        _by_kind.add_layer(core, layer)
    return core
