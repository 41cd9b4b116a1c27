"""``python -m nnext``: see `nnext.cli`."""

import sys

from nnext.cli import main

sys.exit(main())
