"""Fuzzes the interface: programs of random calls, whose models must agree with their twins (tests/programs.py).

``PYTHONPATH=tests python -m fuzz.random_programs SECONDS FOLDER``; the folder gets an input for each failure.
"""

import pathlib
import random
import sys

import atheris
from hypothesis import given, settings
from hypothesis import strategies as st

with atheris.instrument_imports(include=["nnext"]):
    import nnext  # noqa: F401 (what it imports is to be instrumented)

from fuzz.driver import Found, fuzz
from programs import run_program

CHOICES = 2048  # bytes that decide about a program


@settings(database=None, deadline=None)
@given(st.data())
def program(data: st.DataObject) -> None:
    run_program(data.draw)


def main(seconds: float, folder: pathlib.Path) -> None:
    found = Found(folder)

    def execute(data: bytes) -> None:
        with found.failing(data):
            found.counts["agree"] += program.hypothesis.fuzz_one_input(data) is not None

    def figure() -> str:
        differ = found.failures.total()
        return f"{found.counts['agree'] + differ:,} programs, {differ} with twins that differ"

    seeds = [random.Random(seed).randbytes(CHOICES) for seed in range(16)]
    fuzz(seconds, execute, seeds, found, figure, options=[f"-max_len={CHOICES}", "-len_control=0"])


if __name__ == "__main__":
    main(float(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute())
