"""The rules of pyproject.toml for Python's rooms: import-linter and ruff report what must not be.

Each case puts a fault into a copy of the package, or into one of its files as ruff reads it from stdin.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "python" / "nnext"
RULES = PROJECT / "pyproject.toml"
DOWN, CIRCLES = "imports point down", "no circles"

needs_linter = pytest.mark.skipif(shutil.which("lint-imports") is None, reason="import-linter is not installed")
needs_ruff = pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not installed")

# The fault: lines at the end of some files; the contract that they break, and words of the answer.
FAULTS = {
    "upwards": ({"_check.py": "from nnext.layers import Layer"}, DOWN, "nnext._check -> nnext.layers"),
    "in a function": (
        {"model/saving.py": "def read():\n    from nnext import io"},
        DOWN,
        "nnext.model.saving -> nnext.io",
    ),
    "for types only": (
        {"_fit.py": "if TYPE_CHECKING:\n    from nnext.model import Sequential"},
        DOWN,
        "nnext._fit -> nnext.model",
    ),
    "between siblings": ({"losses.py": "from nnext.layers import Linear"}, DOWN, "nnext.losses -> nnext.layers"),
    "by way of the package": ({"_fit.py": "import nnext as nn"}, DOWN, "nnext._fit -> nnext"),
    "no room": ({"_attic.py": ""}, DOWN, "_attic"),
    "circle in a package": (
        {"model/network.py": "from nnext.model.sequential import Sequential"},
        CIRCLES,
        "nnext.model",
    ),
    "circle of new files": (
        {"layers/a.py": "from nnext.layers import b", "layers/b.py": "def f():\n    from nnext.layers import a"},
        CIRCLES,
        "nnext.layers",
    ),
}


def lint_imports(folder: Path, faults: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a copy of the package with these lines at the end of its files."""
    shutil.copytree(PACKAGE, folder / "nnext", ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.npz"))
    for name, lines in faults.items():
        with open(folder / "nnext" / name, "a") as file:
            file.write(f"\n{lines}\n")
    return subprocess.run(
        ["lint-imports", "--config", str(RULES), "--no-cache", "--no-logo"],
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@needs_linter
def test_the_package_keeps_the_order(tmp_path: Path) -> None:
    result = lint_imports(tmp_path, {})
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Contracts: 2 kept, 0 broken." in result.stdout


@needs_linter
@pytest.mark.parametrize("name", FAULTS)
def test_an_import_that_must_not_be_is_reported(tmp_path: Path, name: str) -> None:
    faults, contract, answer = FAULTS[name]
    result = lint_imports(tmp_path, faults)
    assert result.returncode == 1, result.stdout + result.stderr
    summary, _, broken = result.stdout.partition("Broken contracts")
    assert any(contract in line and "BROKEN" in line for line in summary.splitlines()), result.stdout
    assert answer in broken, result.stdout


BRANCHES = "\n".join(f"    if x == {i}:\n        return {i}" for i in range(11))
# File, code, the rule that refuses it there; None where it is allowed.
SNIPPETS = {
    "another's private name": ("_fit.py", "def f(model):\n    return model._engine\n", "SLF001"),
    "one's own private name": ("_fit.py", "class A:\n    def f(self):\n        return self._engine\n", None),
    "a test that knows private names": (
        "../../tests/training/test_fit.py",
        "def f(model):\n    return model._engine\n",
        "SLF001",
    ),
    "many branches": ("_fit.py", f"def f(x):\n{BRANCHES}\n", "C901"),
    "the core in fit": ("_fit.py", "from nnext import _core\n\nprint(_core)\n", "TID251"),
    "a name of the core in fit": ("_fit.py", "from nnext._core import isa\n\nprint(isa)\n", "TID251"),
    "the core in the engine": ("_engine.py", "from nnext._core import isa\n\nprint(isa)\n", None),
}


@needs_ruff
@pytest.mark.parametrize("name", SNIPPETS)
def test_code_that_must_not_be_is_reported(name: str) -> None:
    file, code, rule = SNIPPETS[name]
    result = subprocess.run(
        ["ruff", "check", "--no-cache", "--output-format", "concise", "--stdin-filename", str(PACKAGE / file), "-"],
        input=code,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == (0 if rule is None else 1), result.stdout + result.stderr
    assert rule is None or f" {rule} " in result.stdout
