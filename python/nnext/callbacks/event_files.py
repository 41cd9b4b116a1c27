"""The files that TensorBoard reads, as tensorboardX writes them."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnext import _files

if TYPE_CHECKING:
    import numpy.typing as npt

_count = itertools.count()  # of the files of this process: two in one second are two


class EventFile:
    """A file of events in a folder. Whatever is written is in the file when the call returns.

    tensorboardX's own SummaryWriter has a queue and threads, which a fork would leave behind, and a hook at exit.
    """

    def __init__(self, folder: str) -> None:
        try:
            from tensorboardX.event_file_writer import EventsWriter
        except ImportError as error:
            raise ImportError(
                '[TensorBoard] tensorboardX is not installed; pip install "nnext-learn[tensorboard]"'
            ) from error
        prefix = _files.in_its_folder(os.path.join(folder, "events"))
        self._writer = EventsWriter(prefix, f".{os.getpid()}.{next(_count):06d}")

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers, each of which is a point of a curve."""
        from tensorboardX.proto.summary_pb2 import Summary

        points = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(step=step, summary=Summary(value=points))

    def histograms(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Write how the numbers of arrays are distributed."""
        from tensorboardX.summary import histogram

        for name, array in arrays.items():
            self._write(step=step, summary=histogram(name, array, 64))

    def graph(self, graph: Any) -> None:
        """Write a GraphDef."""
        self._write(graph_def=graph.SerializeToString())

    def _write(self, **event: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        self._writer.write_event(Event(wall_time=time.time(), **event))
        self._writer.flush()

    def close(self) -> None:
        """Write no more."""
        self._writer.close()
