"""``python -m xpframe``."""

import sys

from xpframe.cli import main

if __name__ == "__main__":
    sys.exit(main())
