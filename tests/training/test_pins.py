"""The bits of trainings are those that were recorded, on every instruction set and with any number of threads.

A redesign must not change them. A scenario that is new, or whose kernels no machine before this one had, is recorded
with `NNEXT_RECORD_PINS=1 pytest tests/training/test_pins.py`, which changes no entry that is there. Kernels in bf16 of
which no machine has recorded bits yet are skipped: there is nothing to compare them with.
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator

import pytest

import internals
import nnext as nn
from pins import BF16_SCENARIOS, SCENARIOS
from support import assert_same_bits, digest, use_isa

PINS = pathlib.Path(__file__).parents[1] / "golden" / "pins.json"
FMA, BF16 = ("avx512", "avx2", "neon"), ("bf16:avx512bf16", "bf16:amx")
CASES = [(name, isa) for name in SCENARIOS for isa in (*FMA, "baseline")]
CASES += [(name, kernels) for name in BF16_SCENARIOS for kernels in BF16]


@contextlib.contextmanager
def use_kernels(name: str) -> Iterator[None]:
    """Train with an instruction set, or with avx512 and one kind of products in bf16; skip where this cannot be."""
    isa, _, bf16 = ("avx512", *name.partition(":")[1:]) if name in BF16 else (name, "", "")
    usable = [nn.runtime.isa()] if os.environ.get("NNEXT_ISA") else nn.runtime.available_isas()
    if isa not in usable:
        pytest.skip(f"no {isa} on this CPU and build, or another one is forced")
    with use_isa(isa):
        if not bf16:
            yield
            return
        available = nn.runtime.available_bf16()
        if bf16 not in available:
            pytest.skip(f"no {bf16} on this CPU and build")
        internals.select_bf16(bf16)
        yield
        internals.select_bf16(available[0])


def recorded(scenario: str, group: str, present: str) -> str:
    """Return the hash in the file; where there is none, record the present one if that is asked for, or fail."""
    pins = json.loads(PINS.read_text()) if PINS.exists() else {}
    if group not in pins.get(scenario, {}):
        if not os.environ.get("NNEXT_RECORD_PINS"):
            how = f"on code that is known to be right, run NNEXT_RECORD_PINS=1 pytest {__file__}"
            (pytest.skip if group in BF16 else pytest.fail)(f"{PINS.name} has no {group!r} of {scenario!r}; {how}")
        pins.setdefault(scenario, {})[group] = present
        PINS.write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n")
    return str(pins[scenario][group])


@pytest.mark.parametrize(("scenario", "kernels"), CASES)
def test_a_training_has_the_recorded_bits(scenario: str, kernels: str) -> None:
    train = (SCENARIOS | BF16_SCENARIOS)[scenario]
    results = []
    with use_kernels(kernels):
        for threads in (1, 2, 3, 8):
            with nn.runtime.threads(threads):
                results.append(train())
    for result in results[1:]:
        assert_same_bits(result, results[0])
    present = digest(results[0])
    assert present == recorded(scenario, "fma" if kernels in FMA else kernels, present)


def test_no_pin_is_left_over() -> None:
    pins = json.loads(PINS.read_text())
    assert sorted(pins) == sorted(SCENARIOS | BF16_SCENARIOS)
    for name, groups in pins.items():
        assert set(groups) <= ({"fma", "baseline"} if name in SCENARIOS else set(BF16))
