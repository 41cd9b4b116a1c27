"""What tests know of the package's insides. No other test module names them, so that none changes when they do."""

import contextlib
import dataclasses
import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import nnext as nn
from nnext import _core, _demo, _engine, _passes
from nnext._batches import _Ahead
from nnext._calls import hides_unknown, refuse_unknown, takes_hints
from nnext._described import Described
from nnext._fields import choice, flag, lists, nested, number, pair, several, shape, sides, size
from nnext._hints import HINTS
from nnext._unknown import attributes_of

__all__ = [
    "HINTS",
    "Described",
    "attributes_of",
    "choice",
    "flag",
    "hides_unknown",
    "lists",
    "nested",
    "number",
    "pair",
    "refuse_unknown",
]
__all__ += ["several", "shape", "sides", "size", "takes_hints", "threads_that_read"]

# ---- A model --------------------------------------------------------------------------------------------------------


def counters(model: nn.Sequential) -> tuple[int, int, int]:
    """Return how many training steps, epochs, and steps of the optimizer there were."""
    return model.engine.counters


def set_counters(model: nn.Sequential, counts: tuple[int, int, int]) -> None:
    """Let the model have made so many steps and epochs, and its optimizer so many steps with each parameter."""
    now = model.engine.state()
    progress = {path: (counts[2], product) for path, (_, product) in now.progress.items()}
    model.engine.set_state(dataclasses.replace(now, progress=progress, counters=counts[:2]))


def position(model: nn.Sequential) -> tuple[float, int, int]:
    """Return how far the training has come: epochs, and of the one that a fit was in the steps done and all."""
    return tuple(model.engine.position)


def fit_epoch(
    model: nn.Sequential, X: np.ndarray, batch_size: int, settings: dict[str, Any], loss: _passes.HostLoss
) -> Any:
    """Train for an epoch with a loss as the core calls it; return the loss, the steps and whether it diverged."""
    samples = model.engine.samples(X, None, None, "fit", 1.0)
    return model.engine.fit_epoch(samples, None, batch_size, False, settings, loss)


def begin_epoch(model: nn.Sequential, samples: int, shuffle: bool) -> np.ndarray:
    """Count an epoch and return the order of its samples, as `fit` takes them."""
    return model.engine.begin_epoch(samples, shuffle)


def training_state(model: nn.Sequential) -> dict[str, Any]:
    """Return everything that decides how a model goes on: parameters, averages, the optimizer's sums, counters."""
    now = model.engine.state()
    state = dict(now.tensors) | {f"average.{name}": array for name, array in now.averages.items()}
    for name, arrays in now.optimizer.items():
        state |= {f"optimizer.{name}.{i}": array for i, array in enumerate(arrays)}
    products = np.array([product for _, product in now.progress.values()])
    if (products != 1).any():  # of a rule that keeps such a number
        state["products"] = products
    return state | {"counters": np.array((*now.counters, max(steps for steps, _ in now.progress.values())))}


def averages(model: nn.Sequential) -> dict[str, np.ndarray]:
    """Return the averages of the parameters; empty where there are none."""
    return model.engine.weights()[1]


def state_bytes(model: nn.Sequential) -> bytes:
    """Return the bits of the training state without the counters."""
    return b"".join(array.tobytes() for name, array in training_state(model).items() if name != "counters")


def settings(model: nn.Sequential) -> dict[str, Any]:
    """Return what `compile` accepted; empty before."""
    return {} if model.compiled is None else vars(model.compiled)


def frozen(model: nn.Sequential) -> set[str]:
    """Return the paths of the layers that do not train."""
    return set(model.engine.frozen)


# ---- The core -------------------------------------------------------------------------------------------------------

CORE, STUBS = _core.__name__, "_core.pyi"


def select_isa(name: str) -> None:
    """Choose the instruction set of networks and functions created from then on."""
    _core.select_isa(name)


def select_bf16(name: str) -> None:
    """Choose the kernels for products in bf16 of networks compiled from then on."""
    _core.select_bf16(name)


def compiled_isas() -> list[str]:
    return _core.compiled_isas()


def tensor_table(layers: list[dict[str, Any]]) -> list[tuple[str, tuple[int, ...], str]]:
    """Return path, shape and role of what a network of such layers would own, without making it."""
    return [(path, tuple(shape), role) for path, shape, role in _core.tensor_table(layers)]


def tensor_table_of(layers: list[nn.Layer]) -> list[_engine.Tensor]:
    """Return the same for layers that are there."""
    return list(_engine.tensor_table(layers))


def barriers_passed() -> int:
    """Return how many barriers all runs of the team have had so far."""
    return _core.barriers_passed()


def names_in_the_core(kind: str) -> set[str]:
    """Return the layers, losses, optimizers or activations that the core has, as its message for another one lists."""
    other = {"type": "?"}
    ask: dict[str, Callable[[], Any]] = {
        "layer": lambda: _core.Network32.build(0, [other]),
        "loss": lambda: _core.loss(other, [[1.0]], [[1.0]], None),
        "optimizer": lambda: _core.Network32.build(0, []).compile(None, other),
        "activation": lambda: _core.activation("?", [1.0]),
    }
    try:
        ask[kind]()
    except ValueError as error:
        return set(str(error).partition("; use one of ")[2].split(", "))
    raise AssertionError(f"the core knows the {kind} '?'")


def core_of(model: nn.Sequential) -> Any:
    """Return the network of the core."""
    return model.engine._core


def padded(values: Any, lengths: Any, operation: Any) -> Any:
    """Return samples with lengths as the core takes them, unchecked by Python."""
    return _core.padded(values, lengths, operation)


def build_core(*arguments: Any) -> Any:
    """Build a network of the core from plain values."""
    return _core.Network32.build(*arguments)


def core_classes() -> list[type]:
    """Return all classes of the core."""
    return [thing for thing in vars(_core).values() if isinstance(thing, type)]


def methods_of(thing: Any) -> list[str]:
    """Return what can be called of a class or an object of the core, but Python's own."""
    names = [name for name in dir(thing) if not name.startswith("__") or name in ("__enter__", "__exit__")]
    return [name for name in names if callable(getattr(thing, name)) and not name.startswith("_pybind11")]


def arguments_of(method: Any) -> int:
    """Return how many arguments a method takes beside its object, by the signature that pybind11 writes."""
    signature = method.__doc__.splitlines()[0].partition(" -> ")[0]
    return signature.count(": ") - signature.count("self: ")


def usable_cpus() -> int:
    return _core.usable_cpus()


def cgroup_cpus(proc_cgroup: os.PathLike[str], cgroup_root: os.PathLike[str]) -> int:
    return _core.cgroup_cpus(proc_cgroup, cgroup_root)


def fix_team() -> None:
    """Let a team of 8 be 8 threads, on 2 CPUs and on a busy machine, too."""
    _core.fix_team(True)


@contextlib.contextmanager
def changing_team() -> Iterator[None]:
    """Let teams have another size in every step and every call."""
    _core.change_team()
    try:
        yield
    finally:
        _core.fix_team(True)


# ---- Python's part --------------------------------------------------------------------------------------------------


def layer_types() -> set[type[nn.Layer]]:
    """Return the types of layers that a file may hold."""
    return set(nn.Layer.types().values())


@contextlib.contextmanager
def one_more(kind: type[Described]) -> Iterator[None]:
    """Register a type of a kind within, as a definition does."""
    extra = type("Extra", (kind,), {"name": "extra", "__doc__": "Nothing."})
    try:
        yield
    finally:
        del extra._types["Extra"]


def initializer_names() -> set[str]:
    return set(nn.initializers.Initializer.names())


def reference_parameters(network: nn.reference.Network) -> dict[str, np.ndarray]:
    """Return the arrays that a network of the reference computes with, not copies."""
    return network._chain.named("parameters")


demo = _demo
demo_measures: Callable[..., Any] = _demo._measure
demo_shows_test: Callable[..., None] = _demo._show_test
demo_paints: Callable[[str, str], str] = _demo._paint
DemoSpeed = _demo._Speed


def threads_that_read() -> int:
    """Return how many threads read batches ahead."""
    return sum(type(thing) is _Ahead and thing.is_reading() for thing in gc.get_objects())
