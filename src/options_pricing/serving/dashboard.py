"""The app (Streamlit): ``streamlit run dashboard.py -- releases/staged [checkout]``; no network is needed."""

import sys
from pathlib import Path

from options_pricing.serving.app.frame import show

if __name__ == "__main__":
    show(*map(Path, sys.argv[1:3]))
