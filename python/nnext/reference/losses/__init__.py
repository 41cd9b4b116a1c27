"""The losses, each beside its gradient: how wrong a network's output is, as one number.

Every loss is ``sum_i w_i l_i / sum_i w_i`` over the rows i of a batch, with ``l_i`` as the function says (PyTorch's
``reduction="mean"``). Where that is a mean over outputs j there may be a weight for each: ``sum_ij w_ij l_ij / sum_ij
w_ij``. The rows of sequences (n, T, outputs) and of images (n, outputs, H, W) are their steps and places: there may be
a weight for each sample or for each of these. A ``..._grad`` gives the gradient with respect to ``y_pred``.
"""

from nnext.reference.losses import binary, classes, likelihoods, regression
from nnext.reference.losses.binary import *
from nnext.reference.losses.classes import *
from nnext.reference.losses.likelihoods import *
from nnext.reference.losses.regression import *

__all__: list[str] = []
__all__ += binary.__all__
__all__ += classes.__all__
__all__ += likelihoods.__all__
__all__ += regression.__all__
