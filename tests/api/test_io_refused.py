"""What is no model file: every way to be wrong is a ModelFormatError with its reason."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnext as nn
from support import model_metadata


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Save a model that has been trained."""
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    model.compile(loss="cross_entropy", optimizer="adam", metrics=["accuracy"])
    model.fit(np.ones((4, 5)), [0, 1, 1, 0], verbose=0)
    model.save(tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def write(path: pathlib.Path, description: Any, tensors: dict[str, np.ndarray]) -> None:
    text = description if isinstance(description, str) else json.dumps(description)
    save_file(tensors, path, metadata={"format": "nnext", "nnext": text})


def refused(path: pathlib.Path, message: str) -> None:
    with pytest.raises(nn.ModelFormatError, match=message) as caught:
        nn.load(path)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"PK\x03\x04", b"\0" * 8, b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{}", b"\x80\x04K\x01."]
)
def test_files_of_another_kind(path: pathlib.Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, r"\[load\]")


def test_safetensors_of_others(path: pathlib.Path) -> None:
    save_file({"0.weight": np.zeros((2, 2))}, path)
    refused(path, "the file is safetensors but no nnext model")


DESCRIPTIONS: dict[str, tuple[Any, str]] = {
    "another version": ({"format_version": 3}, "format_version 3, this nnext reads 1 and 2; use the version of nnext"),
    "no layers": ({"layers": []}, "there are no layers"),
    "layers of another kind": ({"layers": "Linear"}, "not a usable model file"),
    "unknown layer": ({"layers": [{"type": "Exec"}]}, "unknown type 'Exec'"),
    "layer without type": ({"layers": [{}]}, "type is None"),
    "unknown argument": ({"layers": [{"type": "ReLU", "run": "x"}]}, "run"),
    "unknown initializer": ({"layers": [{"type": "Linear", "in_features": 1, "out_features": 1,
                                          "weight_init": {"type": "eval", "a": 0, "b": 0}}]}, "unknown type 'eval'"),
    "layers that do not fit": ({"layers": [{"type": "Linear", "in_features": 5, "out_features": 4},
                                            {"type": "Linear", "in_features": 3, "out_features": 2}]}, "4 features"),
    "unknown dtype": ({"dtype": "float8"}, "float8"),
    "a seed that is none": ({"seed": -1}, "seed is -1"),
    "a frozen layer that is not there": ({"frozen": [7]}, "unknown layer '7'"),
    "frozen of another kind": ({"frozen": 7}, "not a usable model file"),
    "counters of another kind": ({"counters": [1, 2, 3]}, "not a usable model file"),
    "progress of too few tensors": ({"progress": [[1, 1.0]]}, "not a usable model file"),
    "progress of another kind": ({"progress": "far"}, "not a usable model file"),
    "negative counters": ({"counters": [-1, 0]}, "not a usable model file"),
    "unknown loss": ({"loss": {"type": "os.system"}}, "unknown type 'os.system'"),
    "a loss of another kind": ({"loss": "mse"}, "the configuration is 'mse'"),
    "unknown optimizer": ({"optimizer": {"type": "Evil"}}, "unknown type 'Evil'"),
    "an optimizer's argument": ({"optimizer": {"type": "SGD", "lr": -1}}, "lr is -1"),
    "unknown metric": ({"metrics": ["speed"]}, "speed"),
}  # fmt: skip


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions_that_say_something_wrong(path: pathlib.Path, name: str) -> None:
    change, message = DESCRIPTIONS[name]
    write(path, model_metadata(path) | change, load_file(path))
    refused(path, message)


@pytest.mark.parametrize(
    "key", ["format_version", "layers", "dtype", "seed", "frozen", "counters", "progress", "loss", "metrics"]
)
def test_descriptions_that_lack_something(path: pathlib.Path, key: str) -> None:
    description = model_metadata(path)
    del description[key]
    write(path, description, load_file(path))
    refused(path, r"\[load\]")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"x"', "NaN", "[" * 100_000, '{"format_version": 1}'])
def test_descriptions_that_are_none(path: pathlib.Path, text: str) -> None:
    write(path, text, {"0.weight": np.zeros((2, 2))})
    refused(path, r"\[load\]")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("0.bias"), "the file has the tensors"),
        (lambda t: t.pop("optimizer.0.bias.1"), "the file has the tensors"),
        (lambda t: t.update(extra=np.zeros(1, "float32")), "the file has the tensors"),
        (lambda t: t.update({"0.bias": np.zeros(7, "float32")}), r"shape \(7,\) but the model's is \(6,\)"),
        (lambda t: t.update({"0.bias": np.zeros(6, "float64")}), "tensor 0.bias is float64 but the model float32"),
        (lambda t: t.update({"0.bias": np.zeros(6, "int32")}), "tensor 0.bias is int32 but the model float32"),
        (lambda t: t.update({"0.bias": np.full(6, np.nan, "float32")}), "tensor 0.bias has values that are NaN"),
        (lambda t: t.update({"optimizer.0.bias.0": np.full(6, np.inf, "float32")}), "optimizer.0.bias.0 has values"),
    ],
)
def test_tensors_that_do_not_fit_the_description(path: pathlib.Path, change: Any, message: str) -> None:
    tensors = load_file(path)
    change(tensors)
    write(path, model_metadata(path), tensors)
    refused(path, message)


def test_every_prefix_of_a_file_is_refused(path: pathlib.Path) -> None:
    nn.Sequential(nn.Linear(2, 2)).save(path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        refused(path, r"\[load\]")


def test_every_flipped_bit_of_the_header_is_refused_or_harmless(path: pathlib.Path) -> None:
    nn.Sequential(nn.Linear(1, 1)).save(path)
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    for position in range(header):
        for bit in range(8):
            path.write_bytes(data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :])
            try:
                assert isinstance(nn.load(path), nn.Sequential)
            except nn.ModelFormatError:
                continue
