"""Schedules: settings that change from step to step, by how far the training has come."""

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.schedules.base import Schedule
from nnext.schedules.cosine import Cosine
from nnext.schedules.decay import Exponential, InvScaling
from nnext.schedules.one_cycle import OneCycle
from nnext.schedules.steps import Constant, Piecewise, Step

__all__ = ["Constant", "Cosine", "Exponential", "InvScaling", "OneCycle", "Piecewise", "Schedule", "Step"]

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
