"""Fuzzes `load` with mutations of the corpus: a file is refused by ModelFormatError, or its model can be used.

``PYTHONPATH=tests python -m fuzz.load_then_predict SECONDS FOLDER``; the folder gets an input for each failure.
"""

import pathlib
import sys
import warnings

import atheris

with atheris.instrument_imports(include=["nnext"]):
    import nnext.io  # noqa: F401 (what it imports is to be instrumented)

from fuzz.driver import Found, fuzz
from fuzz.make_corpus import CORPUS
from fuzz.signed_mutations import mutated
from fuzz.use import use


def main(seconds: float, folder: pathlib.Path) -> None:
    found = Found(folder)
    counts = found.counts

    def execute(data: bytes) -> None:
        counts["files"] += 1
        with found.failing(data):
            counts["models"] += use(data)

    def figure() -> str:
        others = found.failures.total()  # errors of another type than ModelFormatError, and promises that are not kept
        return f"{counts['files']:,} files, {counts['models']:,} of them models, 0 crashes, {others} other errors"

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        """Mutate what coverage has led to, which is refused mostly, or, so that models are seen too, a whole file."""
        base = data if seed % 2 else files[seed // 2 % len(files)]
        return mutated(base, seed, lambda part: atheris.Mutate(part, len(part) + 64))[:max_size]

    files = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    warnings.simplefilter("ignore")
    options = ["-max_len=65536", "-timeout=60", "-mutate_depth=1"]  # `mutated` decides how many changes there are
    fuzz(seconds, execute, files, found, figure, mutate, options)


if __name__ == "__main__":
    main(float(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute())
