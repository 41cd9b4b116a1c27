"""Callbacks: what happens between the epochs of a fit.

``model.fit`` calls, in this order: ``set_params`` and ``set_model``, ``on_train_begin``, then for every epoch
``on_epoch_begin`` and ``on_epoch_end``, and ``on_train_end`` after the last one. The logs of ``on_epoch_end`` hold the
loss, the metrics and, with validation, both again with "val_" before the name. ``on_divergence`` comes where a fit
diverges, and ``close`` at the very end, also where an exception leaves the fit.
"""

from nnext.callbacks.base import Callback, listed
from nnext.callbacks.csv_logger import CSVLogger
from nnext.callbacks.early_stopping import EarlyStopping
from nnext.callbacks.functions import LambdaCallback
from nnext.callbacks.learning_rate_scheduler import LearningRateScheduler
from nnext.callbacks.model_checkpoint import ModelCheckpoint
from nnext.callbacks.progress import ProgressBar
from nnext.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from nnext.callbacks.tensorboard import TensorBoard
from nnext.callbacks.terminate_on_nan import TerminateOnNaN
from nnext.callbacks.time_limit import TimeLimit

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgressBar",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
    "TimeLimit",
    "listed",
]
