"""python -m render"""

import sys

from render.cli import main

if __name__ == "__main__":
    sys.exit(main())
