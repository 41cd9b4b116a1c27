"""The stress under ThreadSanitizer must report what is broken on purpose: it runs with mutants of the core.

    python mutants.py build/tsan

A mutant is one source file with a few words replaced. It is compiled as the build folder compiles that file and linked
before the library, whose own object is then not taken.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
RACE = "WARNING: ThreadSanitizer: data race"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A source file and what is replaced in it, each exactly once."""

    name: str
    source: str
    replace: dict[str, str]


WHOEVER_READS = {"while ((state & kWriter) == 0)": "while (true)"}
WHOEVER_WRITES = {"[&] { return state_.load() == kWriter; }": "[] { return true; }"}
MUTANTS = [
    Mutant("no barrier", "csrc/runtime/team.cpp", {"if (other != member) late +=": "if (false) late +="}),
    Mutant("no gate", "csrc/runtime/gate.cpp", WHOEVER_READS | WHOEVER_WRITES),
    Mutant("a reader does not wait", "csrc/runtime/gate.cpp", WHOEVER_READS),
    Mutant("a writer does not wait", "csrc/runtime/gate.cpp", WHOEVER_WRITES),
]


def mutated(mutant: Mutant) -> str:
    """Return the text of the mutant; it must still find what it replaces."""
    text = (ROOT / mutant.source).read_text()
    for before, after in mutant.replace.items():
        if text.count(before) != 1:
            sys.exit(f"mutant '{mutant.name}': {mutant.source} has {text.count(before)} times: {before}")
        text = text.replace(before, after)
    return text


def build(mutant: Mutant, folder: pathlib.Path, to: pathlib.Path) -> pathlib.Path:
    """Compile the mutant and link the stress with it."""
    commands = json.loads((folder / "compile_commands.json").read_text())
    original = str(ROOT / mutant.source)
    command = next(entry["command"].split() for entry in commands if entry["file"] == original)
    source, compiled, program = to / "mutant.cpp", to / "mutant.o", to / "stress"
    source.write_text(mutated(mutant))
    command[command.index("-o") + 1] = str(compiled)
    command[command.index(original)] = str(source)
    subprocess.run(command, cwd=folder, check=True)
    stress = sorted(folder.glob("tests/cpp/CMakeFiles/stress.dir/**/*.o"))
    link = [command[0], "-fsanitize=thread", *map(str, stress), str(compiled), str(folder / "libnnext_core.a")]
    subprocess.run([*link, "-pthread", "-o", str(program)], check=True)
    return program


def main() -> None:
    """Build and run every mutant; fail where one is not reported."""
    folder = pathlib.Path(sys.argv[1]).resolve()
    missed = []
    for mutant in MUTANTS:
        with tempfile.TemporaryDirectory() as to:
            program = build(mutant, folder, pathlib.Path(to))
            run = subprocess.run(
                [program, "--quick"],
                env=os.environ | {"TSAN_OPTIONS": "halt_on_error=1"},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        at = run.stderr.find(RACE)
        reported = run.returncode != 0 and at >= 0
        print(f"{'ok  ' if reported else 'FAIL'} {mutant.name}: exit code {run.returncode}")
        print("\n".join(line[:150] for line in run.stderr[max(at, 0) :].splitlines()[:4]), flush=True)
        missed += [] if reported else [mutant.name]
    sys.exit(f"not reported: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
