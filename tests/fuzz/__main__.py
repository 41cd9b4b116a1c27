"""Fuzzes files and programs beside each other for a time, and prints what came of it.

``PYTHONPATH=tests python -m fuzz SECONDS FOLDER``; the folder gets logs, and an input for each kind of failure.
"""

import pathlib
import subprocess
import sys
import time

TARGETS = ["load_then_predict", "random_programs"]


def main(seconds: str, folder: pathlib.Path) -> int:
    """Return 1 where something was found."""
    began, figures, failed = time.monotonic(), [], False
    folder.mkdir(parents=True, exist_ok=True)
    running = {}
    for target in TARGETS:
        command = [sys.executable, "-m", f"fuzz.{target}", seconds, str(folder / target)]
        with open(folder / f"{target}.log", "w") as log:
            running[target] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    for target, process in running.items():
        text, _ = process.communicate()
        figures.append(text.splitlines()[-1] if text else f"{target} crashed: see {folder / target}.log")
        failed = failed or process.returncode != 0
    print(f"fuzz: {'; '.join(figures)}, {(time.monotonic() - began) / 60:.0f} min")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]).absolute()))
