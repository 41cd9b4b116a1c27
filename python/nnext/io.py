"""Model files: safetensors, with the architecture and the state of the training as JSON in the metadata.

Format 1. Tensors: parameters under the names of ``state_dict``, and the optimizer's running sums as
"optimizer.<name>.<i>". Metadata: one entry "nnext" with ``format_version``, ``dtype``, ``seed``, ``layers``,
``frozen``, ``counters`` and, after compile with a loss of the core, ``loss``, ``metrics``, ``precision`` and
``optimizer``. Layers come from a closed table: a file holds no code, import names or paths.
"""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import layers, optimizers, training
from nnext.errors import ModelFormatError
from nnext.model import Sequential

FORMAT_VERSION = 1

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def save(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model to a file; see ``Sequential.save``.

    Parameters
    ----------
    model : Sequential
    path : str or path-like

    Raises
    ------
    OSError
        When the file cannot be written; a file that was there is then unchanged.

    Examples
    --------
    >>> import nnext as nn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
    >>> save(nn.MLP([4, 3, 2]), path)
    """
    from safetensors.numpy import save as to_bytes

    names = model._parameter_names()
    parameters, optimizer_state, counters = model._core.get_state()  # of one moment: a fit may go on meanwhile
    tensors = dict(zip(names, parameters, strict=True))
    for name, states in zip(names, optimizer_state, strict=False):  # none before compile
        tensors |= {f"optimizer.{name}.{i}": state for i, state in enumerate(states)}
    metadata = {"format": "nnext", "nnext": json.dumps(_describe(model, counters))}
    _replace_file(os.fspath(path), to_bytes(tensors, metadata=metadata))


def _describe(model: Sequential, counters: tuple[int, int, int]) -> dict[str, Any]:
    description: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "dtype": model.dtype.name,
        "seed": model.seed,
        "layers": [layer.config() for layer in model.layers],
        "frozen": sorted(model._frozen),
        "counters": list(counters),
    }
    if model.optimizer is not None:
        description["optimizer"] = model.optimizer.config()
        description["precision"] = model._compiled["precision"]
        description["loss"] = training.loss_name(model)
        description["metrics"] = [name for name in model._compiled["metrics"] if name in training.metric_names()]
    return description


def _replace_file(path: str, data: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one, whole."""
    path = os.path.realpath(path)  # a link stays one
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".nnext-{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)  # less the umask
    try:
        with os.fdopen(descriptor, "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(descriptor, os.stat(path).st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    folder_descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)


def load(path: str | os.PathLike[str]) -> Sequential:
    """Read a model that ``Sequential.save`` wrote. It predicts, and goes on training, exactly as the saved one.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Sequential
        Compiled if the saved model was, except with a loss function of one's own: then compile again. Where the CPU
        lacks what precision "bf16" needs, with "float32" and a RuntimeWarning.

    Raises
    ------
    ModelFormatError
        When it is no file of a format this version knows, or its parts do not fit together.
    OSError
        When it cannot be read.

    Examples
    --------
    >>> import nnext as nn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
    >>> model = nn.MLP([4, 3, 2], seed=3)
    >>> model.save(path)
    >>> bool((load(path).predict([[1, 2, 3, 4]]) == model.predict([[1, 2, 3, 4]])).all())
    True
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    with open(path, "rb") as file:
        data = file.read()
    try:
        tensors = from_bytes(data)
        description = _description(data)
        model = _rebuild(description, tensors)
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, ModelFormatError):
            raise
        raise ModelFormatError(f"[load] {os.fspath(path)!r} is not a usable model file: {error}") from error
    return model


def _description(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    if "nnext" not in metadata:
        raise ModelFormatError("[load] the file is safetensors but no nnext model: its metadata has no entry 'nnext'")
    description = json.loads(metadata["nnext"])
    version = description["format_version"]
    if version != FORMAT_VERSION:
        raise ModelFormatError(
            f"[load] the file has format_version {version}, this nnext reads {FORMAT_VERSION}; "
            "use the version of nnext that wrote it, or a newer one"
        )
    return dict(description)


def _usable(model: Sequential, precision: str) -> str:
    """Return the precision to compile a loaded model with: it must predict on every CPU."""
    if precision == "bf16":
        try:
            model._core.find_bf16()
        except ValueError as why:
            warnings.warn(f'[load] compiled with precision "float32" instead: {why}', RuntimeWarning, stacklevel=4)
            return "float32"
    return precision


def _rebuild(description: dict[str, Any], tensors: dict[str, Array]) -> Sequential:
    model = Sequential(
        *(layers.from_config(config) for config in description["layers"]),
        seed=description["seed"],
        dtype=description["dtype"],
    )
    if description.get("optimizer") is not None:
        optimizer = optimizers.from_config(description["optimizer"])
        if description["loss"] is not None:
            precision = _usable(model, description.get("precision", "float32"))
            model.compile(description["loss"], optimizer, description["metrics"], precision)
    names = list(model.state_dict())
    states = range(model._core.optimizer_states())
    expected = [*names, *(f"optimizer.{name}.{i}" for name in names for i in states)]
    if description.get("loss") is None:
        tensors = {name: array for name, array in tensors.items() if not name.startswith("optimizer.")}
    if sorted(tensors) != sorted(expected):
        raise ModelFormatError(f"[load] the file has the tensors {sorted(tensors)} but the model {sorted(expected)}")
    for name, array in tensors.items():
        if array.dtype != model.dtype:
            raise ModelFormatError(f"[load] tensor {name} is {array.dtype} but the model {model.dtype}")
        if not np.isfinite(array).all():
            raise ModelFormatError(f"[load] tensor {name} has values that are NaN or infinite")
    model.load_state_dict({name: tensors[name] for name in names})
    for i, name in enumerate(names):
        for state in states:
            model._core.set_optimizer_state(i, state, tensors[f"optimizer.{name}.{state}"])
    model.freeze(*(str(layer) for layer in description["frozen"]))
    model._core.counters = tuple(description["counters"])
    return model
