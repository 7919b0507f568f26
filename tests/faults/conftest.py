"""The catalogue is a program, too: its modules find each other by their names."""

from __future__ import annotations

import sys
from pathlib import Path


sys.path.append(str(Path(__file__).parent))
