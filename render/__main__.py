"""What `python -m render` runs."""

import sys

from render.cli import main

if __name__ == "__main__":
    sys.exit(main())
