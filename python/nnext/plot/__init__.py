"""Pictures of trainings, networks and what they say: each function draws into axes and returns them.

They need matplotlib, the extra ``[plot]``, which is imported when something is drawn. With ``ax=`` of a figure of one's
own pyplot is not touched; without it the picture is a new figure of pyplot's, which notebooks and ``pyplot.show()``
show. Colours are ones that differ for everyone. ``ax.figure.savefig(path)`` saves a picture.
"""

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.plot import boundary, calibrated, confusion, curves, diagram, histograms, images, regression
from nnext.plot.boundary import *
from nnext.plot.calibrated import *
from nnext.plot.confusion import *
from nnext.plot.curves import *
from nnext.plot.diagram import *
from nnext.plot.histograms import *
from nnext.plot.images import *
from nnext.plot.regression import *

__all__: list[str] = []
__all__ += boundary.__all__
__all__ += calibrated.__all__
__all__ += confusion.__all__
__all__ += curves.__all__
__all__ += diagram.__all__
__all__ += histograms.__all__
__all__ += images.__all__
__all__ += regression.__all__

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
