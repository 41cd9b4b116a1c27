"""Running the benchmarks as a user does, with a budget that measures nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def run(*arguments: str, module: str = "benchmarks") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=ROOT)


def measured(tmp_path: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """Return what a short run wrote and printed."""
    path = tmp_path / "result.json"
    short = ("--quick", "--rounds", "2", "--budget", "1e-4", "--json", str(path))
    result = run(*arguments, *short)
    assert result.returncode == 0, result.stderr
    written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return written["benchmarks"], result.stdout
