"""What else the machine does while something is measured: programs that compute, or another training."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.harness import environment


@dataclass(frozen=True)
class Load:
    """Other programs.

    Parameters
    ----------
    programs : int
        How many.
    work : {"compute", "train"}
        What each does, for ever: ``while True: pass``, or training 784-128-10 with nnext's default.
    """

    programs: int
    work: str = "compute"

    @property
    def name(self) -> str:
        """As in the tables: 2 computing programs; empty when there is none."""
        what = {"compute": "computing program", "train": "training"}[self.work]
        return f"{self.programs} {what}{'' if self.programs == 1 else 's'}" if self.programs else ""


@contextmanager
def running(load: Load) -> Iterator[list[subprocess.Popen[str]]]:
    """Have the programs run within a ``with`` block, from when all of them compute until none does."""
    command = [sys.executable, "-m", "benchmarks.program", load.work]
    with ExitStack() as stack:
        programs = []
        for _ in range(load.programs):
            program = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(0)
            )
            programs.append(stack.enter_context(program))
            stack.callback(program.kill)
        for program in programs:
            assert program.stdout is not None
            if not program.stdout.readline():
                raise RuntimeError(f"a program that should keep the machine busy ended with {program.wait()}")
        yield programs
