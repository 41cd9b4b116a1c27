"""A look into a network: what each layer gives, and gradients in what goes in, by networks made for the purpose.

These are built from the numbers that predict, of one moment, and end with the call. The model itself is only read: its
counters, the gradients of a loop of one's own and a fit under way stay what they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _check, _targets, functional
from nnext._compiled import Compiled
from nnext._decision import Decision, Seen, Shape
from nnext._engine import Engine, Padded, as_csr, padded
from nnext._objective import OwnLoss
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext.layers import Identity, Layer
from nnext.losses import Loss

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


# ---- What layers give -----------------------------------------------------------------------------------------------


def layers_by_path(engine: Engine) -> dict[str, Layer]:
    """Return all layers by their paths, those that a layer holds after it."""

    def within(chain: tuple[Layer, ...], prefix: str, first: int) -> Iterator[tuple[str, Layer]]:
        for i, layer in enumerate(chain, first):
            yield f"{prefix}{i}", layer
            for name, held in layer.chains().items():
                yield from within(held, f"{prefix}{i}.{name}.", 0)

    return dict(within(engine.layers, "", engine.numbering.layers))


def path_of(operation: str, engine: Engine, layer: Any) -> str:
    """Return the path of a layer that is given by it or by its position: -1 is the last one."""
    if isinstance(layer, int | np.integer) and not isinstance(layer, bool):
        layer = str(layer + engine.numbering.layers + len(engine.layers) if layer < 0 else layer)
    return _check.choice(operation, "layer", layer, layers_by_path(engine))


def activations(engine: Engine, X: npt.ArrayLike, wanted: Collection[str], scale: float) -> dict[str, Array]:
    """Return what the layers at some paths give in evaluation, by path."""
    shape = engine.input_shape or tuple(np.shape(X)[1:]) or (1,)
    walk = _Walk(engine, shape, wanted)
    walk.go((), engine.layers, "", engine.numbering.layers, _Given(X, True, scale))
    return walk.found


class _Given(NamedTuple):
    """What goes into a layer: samples as people give them, checked and scaled, or what a layer gives."""

    x: npt.ArrayLike
    check: bool = False
    scale: float = 1.0
    one: bool = False  # it was a sample alone


class _Walk:
    """Goes from layer to layer, and keeps what those give that are wanted."""

    def __init__(self, engine: Engine, shape: Shape, wanted: Collection[str]) -> None:
        self.engine, self.shape, self.wanted = engine, shape, wanted
        self.values = engine.get()
        self.found: dict[str, Array] = {}

    def go(self, way: tuple[Layer, ...], chain: tuple[Layer, ...], prefix: str, first: int, given: _Given) -> None:
        """Take samples through the layers of a chain.

        They are part of a network that begins with the `way` from the input to them: it tells each of them which axes
        are what, and is never computed.
        """
        network = _network(self.engine, [*way, *chain], self.shape)
        sizes = network.layer_table(self.shape)
        for i, layer in enumerate(chain):
            path, at = f"{prefix}{first + i}", len(way) + i
            for name, held in layer.chains().items():
                if any(other.startswith(f"{path}.{name}.") for other in self.wanted):
                    self.go((*way, *chain[:i]), held, f"{path}.{name}.", 0, given)
            own = {
                f"{at}{name.removeprefix(path)}": v for name, v in self.values.items() if name.startswith(f"{path}.")
            }
            network.set(own)
            alone = network.slice(at, at + 1)
            y = alone.predict(given.x, None, given.check, given.scale)
            one = y.ndim == len(sizes[str(at)].output_shape)  # a sample alone; what follows takes it for a row
            given = _Given(_with_ends(alone, given.x, y[None] if one else y), one=given.one or one)
            if path in self.wanted:
                self.found[path] = y[0] if given.one and not one else y


def _with_ends(layer: Engine, x: Any, y: Array) -> Any:
    """Return what a layer makes of samples, which end where theirs do."""
    if not isinstance(x, Padded):
        return y
    lengths = layer.output_lengths(tuple(x.shape[1:]), x.lengths)
    return y if lengths is None else padded(y, lengths, "activations")


def _network(engine: Engine, layers: list[Layer], shape: Shape | None) -> Engine:
    """Return a network of other layers, without numbers, that computes as one does."""
    return Engine(layers, engine.seed, engine.dtype, shape, draws=False)


# ---- Gradients in what goes in --------------------------------------------------------------------------------------


def evaluating(engine: Engine, without_last: bool = False) -> Engine:
    """Return a network that does in training, too, what another does in evaluation, so that it goes back through that.

    `without_last` leaves out what the last layer, which has no arrays, does.
    """
    layers = [layer.evaluating() for layer in engine.layers]
    if without_last:
        layers[-1] = Identity()
    network = _network(engine, layers, engine.told_shape)
    network.set_trainable([str(i) for i in range(len(layers))], False)
    names = [tensor.path for tensor in network.tensors()]
    network.set(dict(zip(names, engine.get().values(), strict=True)))
    return network


def refuse_sparse(operation: str, X: Any) -> None:
    """Refuse what has no place for the gradients of its zeros."""
    if as_csr(X) is not None:
        raise TypeError(
            f"[{operation}] X is a sparse matrix, but its zeros have gradients too, which are not 0; give X.toarray()"
        )


def jacobian(engine: Engine, X: npt.ArrayLike, scale: float) -> Array:
    """Return the derivatives of all outputs in all of X: (n, *outputs, *features)."""
    network = evaluating(engine)
    network.samples(X, None, None, "jacobian", scale)  # refuses what does not fit, by the name of the operation
    outputs = network.forward(X, True, scale)
    found = np.empty((*outputs.shape, *np.shape(X)[1:]), engine.dtype)
    for place in np.ndindex(outputs.shape[1:]):  # a pass back for each output, of all samples at once
        chosen = np.zeros_like(outputs)
        chosen[:, *place] = 1
        found[:, *place] = network.backward(chosen)
    return np.multiply(found, scale, dtype=engine.dtype)


def input_gradient(engine: Engine, compiled: Compiled, seen: Seen, given: Samples, scale: float) -> Array:
    """Return the gradient of each sample's own loss in its part of X."""
    preparer = Preparer(engine, compiled, seen, scale)
    data = preparer.data("input_gradient", preparer.settle("input_gradient", given, together=True))
    loss = compiled.core_loss
    fused = None if loss is None else loss.fused(type(engine.layers[-1]).__name__)
    network = evaluating(engine, without_last=fused is not None)
    outputs = network.forward(data.X, True, scale)
    if isinstance(preparer.objective, OwnLoss):
        gradient = preparer.objective.gradients(outputs, data.y)
    else:
        gradient = _gradients(fused or loss, outputs, data.y, preparer.decision)
        if data.ends is not None:  # a mean over all steps
            steps = preparer.decision.space[0] / data.ends.counts
            gradient *= steps.reshape(-1, *(1 for _ in gradient.shape[1:]))
    return np.multiply(network.backward(gradient), scale, dtype=engine.dtype)


def _gradients(loss: Loss | None, outputs: Array, y: Array, decision: Decision) -> Array:
    """Return the gradient of each sample's own loss in its outputs, by the function that goes with a loss."""
    assert loss is not None  # else it is a function of the user's
    rows, true = decision.rows(outputs), _targets.rows(y, decision)
    are_labels = true.size == len(rows) and rows.shape[1] > 1
    true = true.reshape(len(rows) if are_labels else rows.shape)
    settings = {name: value for name, value in loss.config().items() if name != "type"}
    gradient: Array = getattr(functional, f"{loss.name}_grad")(rows, true, **settings)
    places = gradient.reshape(len(outputs), *decision.space, -1)
    # The function's is that of the mean over all rows.
    return np.moveaxis(places, -1, decision.axis) * len(outputs)
