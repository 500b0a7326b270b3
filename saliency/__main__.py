"""``python -m saliency``."""

import sys

from saliency.cli.main import main

sys.exit(main())
