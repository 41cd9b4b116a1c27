"""What the fuzz targets have in common: coverage-guided executions for a time, and what was found."""

import os
import pathlib
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import atheris


class Found:
    """Counts executions and failures, and keeps one input for each kind of these in a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.counts, self.failures = folder, Counter[str](), Counter[str]()

    @contextmanager
    def failing(self, data: bytes) -> Iterator[None]:
        """Note an exception within."""
        try:
            yield
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__}-{pathlib.Path(place.filename).stem}-{place.lineno}"
            self.failures[kind] += 1
            if self.failures[kind] == 1:
                (self.folder / kind).write_bytes(data)
                traceback.print_exc()


def fuzz(
    seconds: float,
    target: Callable[[bytes], None],
    seeds: list[bytes],
    found: Found,
    figure: Callable[[], str],
    mutate: Callable[[bytes, int, int], bytes] | None = None,
    options: list[str] | None = None,
) -> None:
    """Execute the target on mutations of these inputs for so long; then print the figure and end the process.

    A crash ends it before, with the input in the folder of `found`.
    """
    end = time.monotonic() + seconds

    def execute(data: bytes) -> None:
        target(data)
        if time.monotonic() > end:  # libFuzzer's own limit would leave no chance to say anything
            print(figure(), flush=True)
            os._exit(bool(found.failures))

    corpus = found.folder / "corpus"  # to which libFuzzer adds
    corpus.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(seeds):
        (corpus / str(i)).write_bytes(seed)
    arguments = [sys.argv[0], "-verbosity=0", f"-artifact_prefix={found.folder}/crash-", *(options or []), str(corpus)]
    atheris.Setup(arguments, execute, **({} if mutate is None else {"custom_mutator": mutate}))
    atheris.Fuzz()
