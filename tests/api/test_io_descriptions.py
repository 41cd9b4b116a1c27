"""Descriptions that say something wrong are a ModelFormatError with its reason, before anything is built."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnext as nn
from forged import change, refused, signed, trained_file, write
from internals import position
from support import model_metadata


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Save a model that has been trained."""
    return trained_file(tmp_path)


LINEAR: dict[str, Any] = {"type": "Linear", "in_features": 5, "out_features": 6}
SGD: dict[str, Any] = {"type": "SGD", "lr": 0.1}
COSINE: dict[str, Any] = {"type": "Cosine", "value": 0.1}

DESCRIPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "another version": ({"format_version": 3}, "format_version 3, this nnext reads 1 and 2; use the version of nnext"),
    "version true": ({"format_version": True}, "format_version True"),
    "version 2.0": ({"format_version": 2.0}, "format_version 2.0"),
    "version 1": ({"format_version": 1}, "format 1 lacks 'name'"),
    "an unknown entry": ({"code": "print()"}, r"has the unknown \['code'\]"),
    "no layers": ({"layers": []}, "there are no layers"),
    "layers of another kind": ({"layers": "Linear"}, "layers is 'Linear'; it must be a list"),
    "a layer of another kind": ({"layers": ["ReLU"]}, "the configuration is 'ReLU'"),
    "unknown layer": ({"layers": [{"type": "Exec"}]}, "unknown type 'Exec'"),
    "layer without type": ({"layers": [{}]}, "type is None"),
    "unknown argument": ({"layers": [{"type": "ReLU", "run": "x"}]}, "run"),
    "unknown initializer": ({"layers": [LINEAR | {"weight_init": {"type": "eval", "a": 0}}]}, "unknown type 'eval'"),
    "layers that do not fit": ({"layers": [LINEAR, LINEAR]}, "6 features but the layer expects 5"),
    "a size of true": ({"layers": [LINEAR | {"in_features": True}]}, "in_features is True"),
    "a size of 5.0": ({"layers": [LINEAR | {"in_features": 5.0}]}, "in_features is 5.0"),
    "a size that is negative": ({"layers": [LINEAR | {"in_features": -5}]}, "in_features is -5"),
    "a size of 2^63": ({"layers": [LINEAR | {"in_features": 2**63}]}, "in_features is 9223372036854775808"),
    "a bias of 1": ({"layers": [LINEAR | {"bias": 1}]}, "bias is 1; give True or False"),
    "a slope of true": ({"layers": [{"type": "LeakyReLU", "negative_slope": True}]}, "negative_slope is True"),
    "a slope in words": ({"layers": [{"type": "LeakyReLU", "negative_slope": "0.1"}]}, "negative_slope is '0.1'"),
    "unknown dtype": ({"dtype": "float8"}, "float8"),
    "no dtype": ({"dtype": None}, "dtype is None"),
    "a negative seed": ({"seed": -1}, "seed is -1"),
    "a seed of 2^64": ({"seed": 2**64}, "seed is 18446744073709551616"),
    "a seed of 10^400": ({"seed": 10**400}, "a whole number has 401 digits"),
    "a seed of true": ({"seed": True}, "seed is True"),
    "a seed of 1.0": ({"seed": 1.0}, "seed is 1.0"),
    "a frozen layer that is not there": ({"frozen": ["7"]}, "unknown layer '7'"),
    "a frozen layer as a number": ({"frozen": [0]}, "frozen is"),
    "a frozen layer twice": ({"frozen": ["0", "0"]}, "frozen is"),
    "frozen of another kind": ({"frozen": 7}, "frozen is 7; it must be a list"),
    "counters of another kind": ({"counters": [1, 2, 3]}, "counters is"),
    "negative counters": ({"counters": [-1, 0]}, "counters is -1"),
    "counters that are true": ({"counters": [True, 0]}, "counters is True"),
    "counters of 1.0": ({"counters": [1.0, 0]}, "counters is 1.0"),
    "counters of 2^64": ({"counters": [2**64, 0]}, "counters is 18446744073709551616"),
    "progress of too few tensors": ({"progress": {"0.weight": [1, 1.0]}}, r"the progress of \['0.weight'\], not of \["),
    "progress of another kind": ({"progress": [[1, 1.0]] * 4}, "it must be an object"),
    "progress without product": ({"progress": {"0.weight": [1]}}, r"progress of 0.weight is \[1\]; .* a list of 2"),
    "progress that is true": ({"progress": {"0.weight": [True, 1.0]}}, "progress of 0.weight is True"),
    "progress that is negative": ({"progress": {"0.weight": [-1, 1.0]}}, "progress of 0.weight is -1"),
    "progress of 10^400": ({"progress": {"0.weight": [10**400, 1.0]}}, "a whole number has 401 digits"),
    "a product of 10^19": ({"progress": {"0.weight": [1, 10**19]}}, "progress of 0.weight is 10000000000000000000"),
    "a product that is negative": ({"progress": {"0.weight": [1, -0.5]}}, "progress of 0.weight is -0.5"),
    "a product that is true": ({"progress": {"0.weight": [1, True]}}, "progress of 0.weight is True"),
    "a position of another kind": ({"position": 3}, "position is 3; it must be a list of 3"),
    "a position without steps": ({"position": [1.0]}, r"position is \[1.0\]; it must be a list of 3"),
    "a position that is negative": ({"position": [-1.0, 0, 0]}, "position is -1.0"),
    "a position that is true": ({"position": [True, 0, 0]}, "position is True"),
    "a position of half a step": ({"position": [1.0, 0.5, 2]}, "position is 0.5"),
    "a position beyond its epoch": ({"position": [1.0, 2, 2]}, "the steps done must be fewer than all, or both 0"),
    "a position of no steps of some": ({"position": [1.0, 0, 2]}, "the steps done must be fewer than all, or both 0"),
    "a position in an epoch without steps": ({"position": [1.0, 2, 0]}, "the steps done must be fewer than all"),
    "unknown loss": ({"loss": {"type": "os.system"}}, "unknown type 'os.system'"),
    "a loss of another kind": ({"loss": "mse"}, "the configuration is 'mse'"),
    "no loss": ({"loss": None}, "the configuration is None"),
    "a function with more": ({"loss": {"function": "f", "code": ""}}, "a function has its name and nothing else"),
    "a function without name": ({"loss": {"function": None}}, "a function has its name and nothing else"),
    "a loss that does not fit": ({"layers": [LINEAR, {"type": "Linear", "in_features": 6, "out_features": 1}]},
                                 "tensor 2.weight|lacks the tensors"),
    "unknown optimizer": ({"optimizer": {"type": "Evil"}}, "unknown type 'Evil'"),
    "no optimizer": ({"optimizer": None}, "the configuration is None"),
    "an optimizer's argument": ({"optimizer": SGD | {"lr": -1}}, "lr is -1"),
    "a rate of true": ({"optimizer": SGD | {"lr": True}}, "lr is True"),
    "a rate of 10^400": ({"optimizer": SGD | {"lr": 10**400}}, "a whole number has 401 digits"),
    "a rate of an unknown schedule": ({"optimizer": SGD | {"lr": {"type": "Exec"}}}, "unknown type 'Exec'"),
    "a rate of another kind": ({"optimizer": SGD | {"lr": {"type": "ReLU"}}}, "unknown type 'ReLU'"),
    "a schedule that lacks something": ({"optimizer": SGD | {"lr": COSINE}}, r"the configuration lacks \['epochs'\]"),
    "a schedule that is negative": ({"optimizer": SGD | {"lr": COSINE | {"value": -1, "epochs": 2}}}, "-1.0; give a"),
    "an eps that is a schedule": ({"optimizer": {"type": "Adam", "eps": COSINE}}, "eps is {'type'"),
    "a momentum that lacks something": ({"optimizer": SGD | {"momentum": COSINE}}, r"lacks \['epochs'\]"),
    "factors that are none": ({"optimizer": SGD | {"lr_scale": [1]}}, r"lr_scale is \[1\]; give a dict by names"),
    "a factor below 0": ({"optimizer": SGD | {"lr_scale": {"0": -1}}}, r"lr_scale\['0'\] is -1"),
    "a factor of a layer that is not there": ({"optimizer": SGD | {"lr_scale": {"9": 1}}}, "unknown layer of lr_scale"),
    "a limit of 0": ({"clip_value": 0}, "clip_value is 0"),
    "another optimizer": ({"optimizer": SGD}, r"has the unknown \['optimizer.0.bias.0'"),
    "unknown metric": ({"metrics": ["speed"]}, "speed"),
    "a metric twice": ({"metrics": ["mse", "mse"]}, "metrics is"),
    "a metric and a function of its name": ({"metrics": ["mse", {"function": "mse"}]}, "metrics is"),
    "metrics of another kind": ({"metrics": "mse"}, "metrics is 'mse'"),
    "a metric of another kind": ({"metrics": {"mine": 3}}, "metric is 3"),
    "unknown precision": ({"precision": "float8"}, "unknown precision 'float8'"),
    "a precision that float64 lacks": ({"precision": "bf16", "dtype": "float64"}, "bf16|float32 of shape"),
    "a negative clip_norm": ({"clip_norm": -1}, "clip_norm is -1"),
    "a clip_norm of true": ({"clip_norm": True}, "clip_norm is True"),
    "no batches a step": ({"accumulate": 0}, "accumulate is 0"),
    "averages that never change": ({"ema": 1.0}, r"ema is 1.0; give a finite number in \(0, 1\)"),
    "averages of true": ({"ema": True}, "ema is True"),
    "a half batch a step": ({"accumulate": 1.5}, "accumulate is 1.5"),
}  # fmt: skip


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions_that_say_something_wrong(path: pathlib.Path, name: str) -> None:
    entries, message = DESCRIPTIONS[name]
    change(path, **entries)
    refused(path, message)


def test_a_file_without_position_begins_its_schedule_anew(path: pathlib.Path) -> None:
    """Files are older than schedules."""
    model = nn.load(path)
    assert position(model) == (1, 0, 0)
    description, tensors = model_metadata(path), load_file(path)
    del description["position"]
    write(path, signed(description, tensors), tensors)
    assert position(nn.load(path)) == (0, 0, 0)


@pytest.mark.parametrize("key", ["format_version", "layers", "dtype", "seed", "frozen", "counters", "progress", "loss"])
def test_descriptions_that_lack_something(path: pathlib.Path, key: str) -> None:
    description, tensors = model_metadata(path), load_file(path)
    del description[key]
    write(path, signed(description, tensors), tensors)
    refused(path, r"it lacks \['" if key != "format_version" else "format_version None")


def test_settings_of_compile_without_an_optimizer_are_refused(path: pathlib.Path) -> None:
    description, tensors = model_metadata(path), load_file(path)
    del description["optimizer"]
    write(path, signed(description, tensors), tensors)
    refused(path, r"has the unknown \['loss', 'metrics', 'precision', 'clip_norm', 'clip_value', 'accumulate', 'ema'\]")


@pytest.mark.parametrize("key", ["layers", "frozen", "counters", "loss"])
def test_descriptions_of_format_1_that_lack_something(path: pathlib.Path, key: str) -> None:
    golden = pathlib.Path(__file__).parents[1] / "golden" / "mlp_adam_float32.safetensors"
    description = model_metadata(golden)
    del description[key]
    write(path, json.dumps(description), load_file(golden))
    refused(path, f"lacks '{key}'")


TEXTS: dict[str, tuple[str, str]] = {
    "empty": ("", "Expecting value"),
    "cut off": ("{", "Expecting property name"),
    "a list": ("[]", "it holds a list"),
    "a number": ("3", "it holds a int"),
    "null": ("null", "it holds a NoneType"),
    "a string": ('"x"', "it holds a str"),
    "not a number": ('{"format_version": NaN}', "NaN is no finite number"),
    "infinite": ('{"format_version": -Infinity}', "-Infinity is no finite number"),
    "too large": ('{"format_version": 1e999}', "1e999 is no finite number"),
    "too long": ('{"format_version": 1' + "0" * 5000 + "}", "a whole number has 5001 digits"),
    "lists within lists": ("[" * 100_000, "256 deep"),
    "objects within objects": ('{"a":' * 1_000, "256 deep"),
    "very many objects": ('{"a": [' + "{}," * 40_000 + "{}]}", "it has 40002 objects, more than the 32768"),
    "very many lists": ('{"a": [' + "[]," * 140_000 + "[]]}", "it has 140002 lists, more than the 131072"),
    "an entry twice": ('{"seed": 1, "seed": 2}', "the entry 'seed' stands twice"),
    "an entry twice, inside": ('{"a": {"lr": 1, "lr": 2}}', "the entry 'lr' stands twice"),
    "a version alone": ('{"format_version": 1}', "format 1 lacks 'counters'"),
    "no hash": ('{"format_version": 2}', "its sha256 is None, but that"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_are_no_description(path: pathlib.Path, name: str) -> None:
    text, message = TEXTS[name]
    write(path, text, {"0.weight": np.zeros((2, 2))})
    refused(path, message)


def test_layers_within_layers_are_refused_where_no_network_has_so_many(path: pathlib.Path) -> None:
    layer: dict[str, Any] = {"type": "ReLU"}
    for _ in range(110):
        layer = {"type": "Residual", "body": [layer], "shortcut": []}
    change(path, layers=[layer])
    refused(path, "deep")
