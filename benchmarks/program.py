"""A program that computes beside the measurements: ``python -m benchmarks.program compute``, or ``train``.

It ends with its standard input, which is a pipe from the process that started it: whatever that one dies of, no program
goes on computing for nobody.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def compute() -> None:
    """Keep a CPU busy for ever."""
    say_ready()
    while True:
        pass


def train() -> None:
    """Train with nnext's default for ever."""
    from benchmarks.libraries import LIBRARIES
    from benchmarks.works import MNIST

    training, weights = LIBRARIES["nnext"].load(threads=0).training(MNIST, MNIST.samples()), MNIST.weights()
    say_ready()
    while True:
        training.restart(weights)
        training.train(10, shuffle=True)


def say_ready() -> None:
    """Tell the process that started this one that the machine is busy from now on."""
    print("ready", flush=True)


def end_with_parent() -> None:
    """Wait for the end of the pipe, then leave at once, whatever the other threads do."""
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches all; the parent decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    {"compute": compute, "train": train}[sys.argv[1]]()
