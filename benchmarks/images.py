"""MNIST as files that every library's process can map: bytes and labels."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def mnist() -> Iterator[str]:
    """Yield a folder with ``X.npy``, ``y.npy``, ``X_test.npy`` and ``y_test.npy``; an empty name without MNIST."""
    import nnext as nn

    try:
        (X, y), (X_test, y_test) = nn.datasets.load_mnist()
    except nn.datasets.DatasetNotFoundError:
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, array in (("X", X), ("y", y), ("X_test", X_test), ("y_test", y_test)):
            np.save(
                Path(folder) / f"{name}.npy",
                array.reshape(len(array), -1) if name[0] == "X" else array.astype(np.int64),
            )
        yield folder
