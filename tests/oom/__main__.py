"""Fail every allocation of every operation in turn: ``python -m oom``, from the folder of the tests.

Three ways: one allocation of the core's; one and all that follow, as where memory has really ended; and one of all
allocations, Python's and NumPy's too, where any exception will do.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import time

from oom import failing

WAYS = ("one", "from then on", "everywhere")
MOST = 200  # tries of an operation where Python's allocations count, which are thousands


def search(name: str, way: str, most: int) -> tuple[int, int]:
    """Search in this process; return how many allocations failed and how many tries went wrong."""
    import internals
    import nnext as nn
    from oom.operations import HALF_DONE, OPERATIONS
    from oom.search import Search, quiet

    internals.fix_team()
    nn.runtime.set_num_threads(2)
    malloc = failing.Failing(everywhere=way == "everywhere", from_then_on=way == "from then on")
    with quiet():
        searched = Search(OPERATIONS.get(name, HALF_DONE), malloc, any_error=way == "everywhere")
        count = searched.count()
        failed = wrong = 0
        for number in range(1, count + 1, max(1, -(-count // most))):
            tried = searched.try_at(number)
            failed += 1
            if tried.wrong:
                wrong += 1
                print(f"{name}, {way}: allocation {number} of {count}, {tried.ended}: {tried.wrong}", flush=True)
    print(f"{name}, {way}: {failed} of {count} allocations failed in turn, {wrong} wrong", flush=True)
    return failed, wrong


def main() -> None:
    """Search each operation in a process of its own; the last line has the figures."""
    parser = argparse.ArgumentParser(prog="oom", description=__doc__)
    parser.add_argument("names", nargs="*", help="operations; none: all of them")
    parser.add_argument("--way", choices=WAYS, action="append", help="all of them, if none is given")
    parser.add_argument("--most", type=int, help=f"tries of an operation, evenly spread: all, and {MOST} everywhere")
    parser.add_argument("--here", action="store_true", help="in this process, which has the malloc that fails")
    given = parser.parse_args()
    ways = given.way or list(WAYS)
    if given.here:
        most = given.most or (MOST if ways[0] == "everywhere" else sys.maxsize)
        failed, wrong = search(given.names[0], ways[0], most)
        print(failed, wrong)
        return
    from oom.operations import OPERATIONS

    names, started = given.names or list(OPERATIONS), time.monotonic()
    with failing.library() as built, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:

        def run(job: tuple[str, str]) -> tuple[int, int]:
            name, way = job
            most = [] if given.most is None else ["--most", str(given.most)]
            command = [sys.executable, "-m", "oom", "--here", "--way", way, *most, name]
            done = subprocess.run(
                command, env=failing.environment(built), stdout=subprocess.PIPE, text=True, check=False
            )
            *lines, figures = done.stdout.splitlines() or [""]
            print(*lines, sep="\n", flush=True)
            if done.returncode != 0:
                print(f"{name}, {way}: the search ended with {done.returncode}", flush=True)
                return 0, 1
            failed, wrong = figures.split()
            return int(failed), int(wrong)

        found = list(pool.map(run, [(name, way) for way in ways for name in names]))
    failed, wrong = (sum(column) for column in zip(*found, strict=True))
    minutes = (time.monotonic() - started) / 60
    print(f"oom: {len(names)} operations, {failed} allocations failed in turn, {wrong} wrong, in {minutes:.1f} minutes")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
