"""Put this checkout's own ``src/`` before any installed copy: an experiment in a copy runs its own code."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
