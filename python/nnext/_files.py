"""Model files: safetensors, with the architecture and the state of the training as JSON in the metadata.

Format 2, provisional. Tensors: parameters and buffers under the names of ``state_dict``, and the optimizer's running
sums as "optimizer.<name>.<i>". Metadata: one entry "nnext" with ``format_version``, ``dtype``, ``seed``, ``layers``,
``frozen``, ``counters``, ``progress`` (of each tensor) and, after compile, ``loss``, ``metrics``, ``precision``,
``clip_norm`` (absent or null: none) and ``optimizer``. Layers, losses, optimizers and initializers are what their
``config()`` gives; a file holds no code, import names or paths.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnext import _format1
from nnext.errors import ModelFormatError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

FORMAT_VERSION = 2


def encode(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    """Return the bytes of a file."""
    import json

    from safetensors.numpy import save

    text = json.dumps({"format_version": FORMAT_VERSION, **description})
    return save(dict(tensors), metadata={"format": "nnext", "nnext": text})


def decode(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return description and tensors; descriptions of older formats in the form of this one.

    Raises
    ------
    ModelFormatError
        When it is no file of a format that is known here.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
        return _description(data, sum(not name.startswith("optimizer.") for name in tensors)), tensors
    except ModelFormatError:
        raise
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFormatError(str(error)) from error


def _description(data: bytes, tensors: int) -> dict[str, Any]:
    import json

    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    if "nnext" not in metadata:
        raise ModelFormatError("[load] the file is safetensors but no nnext model: its metadata has no entry 'nnext'")
    description = dict(json.loads(metadata["nnext"]))
    version = description.pop("format_version")
    if version == 1:
        return _format1.upgrade(description, tensors)
    if version != FORMAT_VERSION:
        raise ModelFormatError(
            f"[load] the file has format_version {version}, this nnext reads 1 and {FORMAT_VERSION}; "
            "use the version of nnext that wrote it, or a newer one"
        )
    return description


def replace(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one, whole."""
    path = os.path.realpath(os.fspath(path))  # a link stays one
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
