"""Every number in a file, replaced by what is none, or another: refused, or nothing but what it says is different."""

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from safetensors.numpy import load, save

import nnext as nn

X = np.linspace(-1, 1, 60).reshape(12, 5)
Y = np.arange(12) % 2
MARK = "the number to replace"

OTHERS = {
    "true": "true",
    "null": "null",
    "a word": '"1"',
    "an empty list": "[]",
    "a list": "[1]",
    "an object": "{}",
    "not a number": "NaN",
    "infinity": "-Infinity",
    "1e999": "1e999",
    "10^400": "1" + "0" * 400,
    "2^64": str(2**64),
    "2^63 - 1": str(2**63 - 1),
    "1e308": "1e+308",
    "-1": "-1",
    "1.5": "1.5",
    "0": "0",
    "-0.0": "-0.0",
    "1": "1",
}
MAY_BE_NUMBERS = {"null", "2^64", "2^63 - 1", "1e308", "-1", "1.5", "0", "-0.0", "1"}


def trained() -> nn.Sequential:
    """Return a model with a number wherever a file can have one."""
    layers = [nn.Linear(5, 6, weight_init=nn.initializers.uniform(-0.5, 0.5)), nn.BatchNorm1d(6), nn.LeakyReLU(0.2)]
    layers += [nn.Residual(nn.Linear(6, 6), nn.Dropout(0.25)), nn.Linear(6, 2)]
    model = nn.Sequential(nn.Identity(), *layers, seed=3)[1:]  # which is numbered from 1
    model.compile(
        nn.CrossEntropy(label_smoothing=0.1, class_weight=[1, 2]),
        nn.NAdam(lr=nn.Cosine(0.01, epochs=4, warmup=0.5), betas=(0.8, 0.9), l1=1e-4, lr_scale={"1": 0.5}),
        metrics=["accuracy"],
        clip_norm=1.0,
        clip_value=0.5,
        accumulate=2,
        ema=0.9,
    )
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    return model


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find all numbers in plain values."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(part, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def replaced(value: Any, path: tuple[Any, ...]) -> Any:
    """Return plain values with the mark in place of what is at the path."""
    if not path:
        return MARK
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:])
    return copy


class Parts(NamedTuple):
    """A file in parts: the header, the description in it without its hash, and the bytes of the tensors."""

    header: dict[str, Any]
    description: dict[str, Any]
    data: bytes


@pytest.fixture(scope="module")
def parts() -> Parts:
    """Save a model that has been trained."""
    file = io.BytesIO()
    trained().save(file)
    whole = file.getvalue()
    start = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:start])
    description = json.loads(header["__metadata__"]["nnext"])
    del description["sha256"]
    return Parts(header, description, whole[start:])


def file_of(header: str, data: bytes) -> io.BytesIO:
    return io.BytesIO(len(header.encode()).to_bytes(8, "little") + header.encode() + data)


def expected(description: dict[str, Any], tensors: dict[str, np.ndarray]) -> np.ndarray:
    """Return the predictions of a network of such layers, whatever they had begun with."""
    configs = [{key: v for key, v in config.items() if key != "weight_init"} for config in description["layers"]]
    model = nn.Sequential(*[nn.layers.Layer.from_config(config) for config in configs])
    first = description["numbering"][0]
    paths = [name.partition(".") for name in tensors]
    model.load_state_dict({f"{int(n) - first}.{rest}": tensors[f"{n}.{rest}"] for n, _, rest in paths if n.isdigit()})
    return model.predict(X)


@pytest.mark.parametrize("name", OTHERS)
def test_a_number_of_the_description(parts: Parts, name: str) -> None:
    tensors = load(file_of(json.dumps(parts.header), parts.data).getvalue())
    hashed = b"".join(key.encode() + tensors[key].tobytes() for key in sorted(tensors))
    places = list(numbers(parts.description))
    assert len(places) > 60
    reasons: list[str] = []
    for place in places:
        text = json.dumps(replaced(parts.description, place)).replace(f'"{MARK}"', OTHERS[name])
        sha = hashlib.sha256(text.encode() + hashed)
        file = io.BytesIO(save(tensors, {"nnext": f'{text[:-1]}, "sha256": "{sha.hexdigest()}"}}'}))
        try:
            model = nn.load(file)
        except nn.ModelFormatError as error:
            reasons.append(str(error))
            continue
        assert model.predict(X).tobytes() == expected(json.loads(text), tensors).tobytes(), place
    assert reasons
    assert len(reasons) == len(places) or name in MAY_BE_NUMBERS
    assert not any("sha256" in reason for reason in reasons)  # what the number is decides


@pytest.mark.parametrize("name", OTHERS)
def test_a_number_of_the_header(parts: Parts, name: str) -> None:
    text = json.dumps(parts.header)
    predicted = nn.load(file_of(text, parts.data)).predict(X).tobytes()
    for place in numbers(parts.header):
        forged = json.dumps(replaced(parts.header, place)).replace(f'"{MARK}"', OTHERS[name])
        if forged == text:
            assert nn.load(file_of(forged, parts.data)).predict(X).tobytes() == predicted
        else:
            with pytest.raises(nn.ModelFormatError):
                nn.load(file_of(forged, parts.data))
