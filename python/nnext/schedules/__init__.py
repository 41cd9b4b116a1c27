"""Schedules: settings that change from step to step, by how far the training has come."""

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.schedules.base import Schedule
from nnext.schedules.cosine import Cosine

__all__ = ["Cosine", "Schedule"]

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
