"""What nox -s fuzz stands on: a corpus of everything, mutations that stay signed, failures that are seen."""

import io
import pathlib
import random
import re
import subprocess
import sys
from functools import partial
from typing import Any

import pytest

import nnext as nn
from fuzz import use as fuzz_use
from fuzz.make_corpus import CORPUS
from fuzz.signed_mutations import CHANGES, Parts, mutated
from support import environment

FILES = {path.stem: path.read_bytes() for path in sorted(CORPUS.iterdir())}


def types_within(value: Any) -> set[str]:
    """Return every "type" in values of JSON."""
    if isinstance(value, dict):
        own = {value["type"]} if isinstance(value.get("type"), str) else set()
        return own.union(*map(types_within, value.values()))
    return set().union(*map(types_within, value)) if isinstance(value, list) else set()


def raw(data: bytes, seed: int = 0) -> bytes:
    """Change one byte, the same for the same data and seed."""
    rng = random.Random(data + bytes([seed]))
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def test_the_corpus_has_everything_that_a_file_can_hold() -> None:
    parts = [Parts.of(data) for data in FILES.values()]
    types = set().union(*(types_within(part.description) for part in parts if part is not None))
    for kind in (nn.Layer, nn.Loss, nn.optimizers.Optimizer, nn.Schedule, nn.initializers.Initializer):
        assert kind.types().keys() <= types
    assert sum(map(len, FILES.values())) < 100_000


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_corpus_is_used_and_survives_being_taken_apart(name: str) -> None:
    assert fuzz_use.use(FILES[name])
    parts = Parts.of(FILES[name])
    assert parts is not None
    assert fuzz_use.use(parts.file())


def test_mutations_are_refused_or_models_and_mostly_not_for_their_hash() -> None:
    files, models, unsigned = list(FILES.values()), 0, 0
    for seed in range(400):
        data = mutated(files[seed % len(files)], seed, raw)
        try:
            nn.load(io.BytesIO(data))
            models += fuzz_use.use(data)
        except nn.ModelFormatError as error:
            unsigned += "its sha256 is" in str(error)
    assert models > 80
    assert unsigned < 40


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_kind_of_change_gives_other_files(change: Any) -> None:
    files = list(FILES.values())
    changed = 0
    for i in range(8 * len(files)):  # few changes of a text leave it one
        data = files[i % len(files)]
        parts, before = Parts.of(data), Parts.of(data)
        assert parts is not None
        assert before is not None
        change(parts, random.Random(i), partial(raw, seed=i % 256))
        changed += parts.file() != before.file()
    assert changed > 0


def test_a_model_that_a_file_brings_and_no_file_can_hold_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.Sequential, "save", lambda model, file: file.write(b"something else"))
    with pytest.raises(nn.ModelFormatError):
        fuzz_use.use(FILES["mse"])


@pytest.mark.parametrize("target", ["load_then_predict", "random_programs"])
def test_a_failure_of_a_target_ends_it_with_1_and_its_input_is_kept(target: str, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed; nox -s fuzz brings it")
    code = f"""
import pathlib, sys
import fuzz.{target} as target
def fail(*_): raise LookupError
target.use = target.run_program = fail
target.main(0, pathlib.Path({str(tmp_path)!r}))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 1
    assert len(list(tmp_path.glob("LookupError-*"))) == 1
    assert re.search(r"(, 1 other errors|^1 programs, 1 with twins that differ)$", result.stdout.strip())
