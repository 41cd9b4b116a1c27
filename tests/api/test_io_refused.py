"""Bytes that are no model file are a ModelFormatError with its reason, before anything is built."""

import contextlib
import io
import json
import pathlib
import resource
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnext as nn
from forged import Tensors, change, refused, signed, trained_file, write
from support import model_metadata


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Save a model that has been trained."""
    return trained_file(tmp_path)


# ---- The bytes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"x", b"PK\x03\x04", b"\0" * 8, b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{}", b"\x80\x04K\x01."]
)
def test_files_of_another_kind(path: pathlib.Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, "no safetensors file|no nnext model")


def test_safetensors_of_others(path: pathlib.Path) -> None:
    save_file({"0.weight": np.zeros((2, 2))}, path)
    refused(path, "it is safetensors but no nnext model: its metadata has no entry 'nnext'")


TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HEADERS: dict[str, tuple[Any, bytes, str]] = {
    "no object": ("[]", b"", "it holds a list"),
    "no JSON": ("{", b"", "Expecting property name"),
    "no text": (b'{"\xff": 1}', b"", "can't decode byte 0xff"),
    "a tensor twice": ('{"a": {}, "a": {}}', b"", "the entry 'a' stands twice"),
    "deep": ('{"a": ' + "[" * 100_000, b"", "256 deep"),
    "metadata of another kind": ('{"__metadata__": 3}', b"", "has no attribute 'get'"),
    "a description of another kind": ('{"__metadata__": {"nnext": 3}}', b"", "expected string"),
    "a tensor of another kind": ({"a": 3}, b"", "not iterable"),
    "a tensor without shape": ({"a": {"dtype": "F32", "data_offsets": [0, 0]}}, b"", "not dtype, shape and"),
    "a tensor with more": ({"a": TENSOR | {"code": ""}}, bytes(8), "not dtype, shape and"),
    "whole numbers": ({"a": TENSOR | {"dtype": "I32"}}, bytes(8), "unknown dtype of 'a' 'I32'; use one of F32, F64"),
    "a shape that is none": ({"a": TENSOR | {"shape": 2}}, bytes(8), "has no len"),
    "true for 1": ({"a": TENSOR | {"shape": [True, 2]}}, bytes(8), "shape of 'a' is True; give a whole number"),
    "a size of 2.0": ({"a": TENSOR | {"shape": [2.0]}}, bytes(8), "shape of 'a' is 2.0; give a whole number"),
    "a negative size": ({"a": TENSOR | {"shape": [-2]}}, bytes(8), "shape of 'a' is -2"),
    "many dimensions": ({"a": TENSOR | {"shape": [1] * 50_000}}, bytes(8), "has 50000 dimensions"),
    "sizes whose product is much": ({"a": TENSOR | {"shape": [2**62] * 8}}, bytes(8), "has 8 bytes"),
    "sizes whose product is 0": ({"a": TENSOR | {"shape": [0, 2**62, 2**62]}}, bytes(8), "has 8 bytes"),
    "another size than place": ({"a": TENSOR | {"shape": [3]}}, bytes(8), r"shape \(3,\) has 8 bytes"),
    "a negative place": ({"a": TENSOR | {"data_offsets": [-8, 0]}}, bytes(8), "data_offsets of 'a' is -8"),
    "three places": ({"a": TENSOR | {"data_offsets": [0, 8, 8]}}, bytes(8), "too many values"),
    "a gap": ({"a": TENSOR, "b": TENSOR | {"data_offsets": [9, 17]}}, bytes(17), "'b' begins at byte 9, where .* 8"),
    "an overlap": ({"a": TENSOR, "b": TENSOR | {"data_offsets": [0, 8]}}, bytes(8), "'b' begins at byte 0, where .* 8"),
    "too few bytes": ({"a": TENSOR}, bytes(7), "have 8 bytes but it holds 7; it is cut off"),
    "too many bytes": ({"a": TENSOR}, bytes(9), "have 8 bytes but it holds 9"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_say_something_wrong(path: pathlib.Path, name: str) -> None:
    header, data, message = HEADERS[name]
    if isinstance(header, dict):
        header = json.dumps({"__metadata__": {"nnext": "{}"}} | header)
    text = header if isinstance(header, bytes) else header.encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    refused(path, message)


def file_of(model: nn.Sequential) -> bytes:
    file = io.BytesIO()
    model.save(file)
    return file.getvalue()


def test_every_prefix_of_a_file_is_refused() -> None:
    data = file_of(nn.Sequential(nn.Linear(2, 2)))
    for length in range(len(data)):
        with pytest.raises(nn.ModelFormatError, match="is no usable model file"):
            nn.load(io.BytesIO(data[:length]))


def test_every_flipped_bit_is_refused_or_harmless() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.LeakyReLU(0.25))
    data, loaded = file_of(model), 0
    for position in range(len(data)):
        for bit in range(8):
            flipped = data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]
            with contextlib.suppress(nn.ModelFormatError):
                assert nn.load(io.BytesIO(flipped)).predict([[-1.0]]) == model.predict([[-1.0]])
                loaded += 1
    assert loaded < 20  # white space may change


# ---- The tensors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda t: t.pop("0.bias"), r"it lacks the tensors \['0.bias'\]"),
        (lambda t: t.pop("optimizer.0.bias.1"), r"it lacks the tensors \['optimizer.0.bias.1'\]"),
        (lambda t: t.update(extra=np.zeros(1, "float32")), r"has the unknown \['extra'\]"),
        (lambda t: t.update({"optimizer.0.bias.2": np.zeros(6, "float32")}), "has the unknown"),
        (lambda t: t.update({"0.bias": np.zeros(7, "float32")}), r"0.bias is float32 of shape \(7,\), but .* \(6,\)"),
        (lambda t: t.update({"0.weight": np.zeros((5, 6), "float32")}), r"of shape \(5, 6\), but .* \(6, 5\)"),
        (lambda t: t.update({"optimizer.0.bias.0": np.zeros((6, 1), "float32")}), r"of shape \(6, 1\), but .* \(6,\)"),
        (lambda t: t.update({"0.bias": np.zeros(6)}), "0.bias is float64 of shape .* make it float32"),
        (lambda t: t.update({"0.bias": np.zeros(6, "int32")}), "unknown dtype of '0.bias' 'I32'"),
        (lambda t: t.update({"0.bias": np.full(6, np.nan, "float32")}), "6 of the 6 values of 0.bias are NaN"),
        (lambda t: t["optimizer.0.bias.0"].fill(np.inf), "6 of the 6 values of optimizer.0.bias.0 are"),
    ],
)
def test_tensors_that_do_not_fit_the_description(
    path: pathlib.Path, alter: Callable[[Tensors], Any], message: str
) -> None:
    tensors = {name: array.copy() for name, array in load_file(path).items()}
    alter(tensors)
    write(path, signed(model_metadata(path), tensors), tensors)
    refused(path, message)


def test_a_number_that_has_changed_is_noticed(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused(path, "its sha256 is '.*', but that of what it holds '.*': it is damaged")


# ---- Memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.resources
@pytest.mark.parametrize("layer", [{"type": "Linear", "in_features": 2**31 - 1, "out_features": 2**31 - 1},
                                   {"type": "Linear", "in_features": 5, "out_features": 3 * 10**7},
                                   {"type": "BatchNorm1d", "num_features": 10**8}])  # fmt: skip
def test_sizes_that_a_file_claims_take_no_memory(path: pathlib.Path, layer: dict[str, Any]) -> None:
    change(path, layers=[layer])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**24, hard))
    try:
        refused(path, "lacks the tensors|more numbers than memory has addresses")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_long_headers_are_refused_before_they_are_read(path: pathlib.Path) -> None:
    text = b"[" + b"[]," * 2_000_000
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    tracemalloc.start()
    try:
        refused(path, "its header has 6000009 bytes, more than")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size + 2**20


def test_reading_takes_no_second_copy_of_the_tensors(path: pathlib.Path) -> None:
    nn.Sequential(nn.Linear(1000, 1000)).save(path)
    tensors = {name: array.copy() for name, array in load_file(path).items()}
    tensors["0.bias"][0] = np.nan  # found last
    write(path, signed(model_metadata(path), tensors), tensors)
    tracemalloc.start()
    try:
        refused(path, "1 of the 1000 values of 0.bias")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size + 2**20
