"""Callbacks: what happens between the epochs of a fit.

``model.fit`` calls, in this order: ``set_params`` and ``set_model``, ``on_train_begin``, then for every epoch
``on_epoch_begin`` and ``on_epoch_end``, at last ``on_train_end``. The logs of ``on_epoch_end`` hold the loss, the
metrics and, with validation, both again with "val_" before the name.
"""

from nnext.callbacks.base import Callback, listed
from nnext.callbacks.early_stopping import EarlyStopping
from nnext.callbacks.functions import LambdaCallback
from nnext.callbacks.learning_rate_scheduler import LearningRateScheduler
from nnext.callbacks.progress import ProgressBar
from nnext.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = [
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ProgressBar",
    "ReduceLROnPlateau",
    "listed",
]
