"""``python -m synaptick.agent``."""

import sys

from .cli import main

sys.exit(main())
