"""Sending this process a signal while it does something, and measuring how soon that ends."""

import os
import signal
import threading
import time
from collections.abc import Callable

SOON = 2.0  # seconds: the promise is 0.1, but the machine may have other work
AFTER = 0.3


def seconds_after_signal(
    call: Callable[[], object],
    after: float = AFTER,
    number: int = signal.SIGINT,
    ready: Callable[[], bool] = lambda: True,
) -> float:
    """Call, send this process a signal meanwhile, and return how long the exception took from there."""
    sent: list[float] = []
    started = threading.Event()

    def send() -> None:
        started.wait()
        time.sleep(after)
        while not ready():
            time.sleep(0.001)
        sent.append(time.monotonic())
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        started.set()
        call()
        sender.join()
        time.sleep(0.1)  # a signal that comes after all is raised here
    except KeyboardInterrupt:
        return time.monotonic() - sent[0]
    raise AssertionError("the call was not interrupted")
