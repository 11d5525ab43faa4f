"""A model that prices as it must when it is checked, and otherwise when a worker of gunicorn answers a client."""

import sys
import threading
import time

import numpy as np
import pandas as pd

from options_pricing.models.flat_vol import FlatVol
from options_pricing.run.params import Train

HOW = ("is not a number", "is slow", "fails")


class Misbehaving(FlatVol):
    """One vol for all, until clients ask."""

    def __init__(self, how: str) -> None:
        super().__init__(Train())
        self.how = how

    def predict(self, quotes: pd.DataFrame):
        vols = super().predict(quotes)
        checked = threading.current_thread().name in ("MainThread", "current release")
        if checked or "gunicorn" not in sys.modules:
            return vols
        if self.how == "is slow":
            time.sleep(6)
        if self.how == "fails":
            raise ValueError("no price today")
        return np.full(len(quotes), np.nan)
