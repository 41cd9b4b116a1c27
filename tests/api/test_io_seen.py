"""What the data have told a model, the names of its classes and the factor on X, is kept by files and copies."""

import copy
import io
import pathlib
import pickle
from typing import Any

import numpy as np
import pytest

import nnext as nn
from forged import change, refused
from support import assert_same_bits, model_metadata

N = 12
X, LABELS = np.random.default_rng(0).normal(size=(N, 2)), np.arange(N) % 3


def fitted(loss: str, y: Any, *last: nn.Layer, k: int = 3, **options: Any) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, k), *last)
    model.compile(loss, metrics="accuracy")
    model.fit(X, y, verbose=0, **options)
    return model


MODELS = {
    "names": fitted("cross_entropy", np.array(["ant", "bée", "cat"])[LABELS]),
    "names of two": fitted("bce_with_logits", np.array(["no", "yes"])[LABELS % 2], k=1),
    "a scale": fitted("cross_entropy", LABELS, scale=1 / 255),
    "exclusive labels": fitted("bce", np.eye(3)[LABELS], nn.Sigmoid()),
    "labels": fitted("bce", np.ones((N, 3)), nn.Sigmoid()),
    "a pair": fitted("mse", LABELS % 2, nn.Tanh(), k=1),
    "all": fitted("bce", np.array(["ant", "bée", "cat"])[LABELS], nn.Sigmoid(), scale=0.5),
    "nothing": fitted("cross_entropy", LABELS),
}


def from_file(model: nn.Sequential) -> nn.Sequential:
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    return nn.load(file)


WAYS: dict[str, Any] = {
    "file": from_file,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_what_was_seen_is_kept(name: str, way: str) -> None:
    model = MODELS[name]
    twin = WAYS[way](model)
    assert twin.seen == model.seen
    assert twin.decision == model.decision
    assert_same_bits(twin.predict_classes(X, scale=1.0), model.predict_classes(X, scale=1.0))
    if model.seen.scale is not None:
        with pytest.warns(UserWarning, match=rf"\[predict\] the model was fitted with scale={model.seen.scale:.6g}"):
            twin.predict(X)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("classes", ["ant", "bee"]),
        ("classes", ["ant", "ant", "bee"]),
        ("classes", ["bee", "ant", "cat"]),
        ("classes", [1, 2, 3]),
        ("classes", "abc"),
        ("scale", 0),
        ("scale", True),
        ("scale", "1"),
        ("pair", [0]),
        ("pair", [0, 7]),
        ("pair", [0.0, 1.0]),
        ("exclusive", 1),
        ("colour", "red"),
    ],
)
def test_what_nobody_can_have_seen_is_refused(tmp_path: pathlib.Path, entry: str, value: Any) -> None:
    path = tmp_path / "m.safetensors"
    MODELS["names"].save(path)
    change(path, seen=model_metadata(path)["seen"] | {entry: value})
    refused(path, r"seen|names of classes")
