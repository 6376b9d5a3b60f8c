"""``python -m xpframe``."""

import sys

from xpframe.cli import main

sys.exit(main())
