"""``python -m nnext``: see `nnext.cli`."""

import os
import sys

from nnext.cli import main

code = main()
for stream in filter(None, (sys.stdout, sys.stderr)):
    try:
        stream.flush()
    except OSError:  # which `main` knows; at its end Python would try again, say it again, and exit with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
sys.exit(code)
