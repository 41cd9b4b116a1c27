"""Model files that say something else than nnext wrote, for the tests that they are refused."""

import hashlib
import json
import pathlib
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnext as nn
from support import model_metadata

Tensors = dict[str, np.ndarray]


def trained_file(folder: pathlib.Path) -> pathlib.Path:
    """Save a model that has been trained."""
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    model.compile(loss="cross_entropy", optimizer="adam", metrics=["accuracy"])
    model.fit(np.ones((4, 5)), [0, 1, 1, 0], verbose=0)
    model.save(folder / "m.safetensors")
    return folder / "m.safetensors"


def signed(description: dict[str, Any], tensors: Tensors) -> str:
    """Return the text of a description with the hash that belongs to it, as whoever forges a file would."""
    entries = {name: value for name, value in description.items() if name != "sha256"}
    sha = hashlib.sha256(json.dumps(entries).encode())
    for name in sorted(tensors):
        sha.update(name.encode() + tensors[name].tobytes())
    return json.dumps(entries | {"sha256": sha.hexdigest()})


def write(path: pathlib.Path, text: str, tensors: Tensors) -> None:
    save_file(tensors, path, metadata={"nnext": text})


def change(path: pathlib.Path, **entries: Any) -> None:
    """Let the description say something else."""
    tensors = load_file(path)
    write(path, signed(model_metadata(path) | entries, tensors), tensors)


def refused(path: pathlib.Path, message: str) -> None:
    """Assert that the file is none, for that reason."""
    with pytest.raises(nn.ModelFormatError, match=message) as caught:
        nn.load(path)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).startswith(f"[load] {str(path)!r} is no usable model file: ")
