"""Rules on what the other rules leave: a sample that is no longer one."""

import numpy as np
import pandas as pd

from options_pricing.validation.chain import Chain, Codes, Mask
from options_pricing.validation.rule import Finding, Thresholds, rule

MONEYNESS_EDGES = (0.8, 0.9, 0.97, 1.03, 1.1, 1.2)


@rule(
    "G01",
    "fewer than half of the bucket is usable",
    source="OWN (filters bias the sample)",
    severity="warn",
    stage="verdicts",
    least_share=0.5,
    fewest_rows=10,
)
def thin_bucket(chain: Chain, limits: Thresholds) -> Finding:
    """Fails what is left of a bucket (expiration, type, ``K / S`` by 0.8, 0.9, 0.97, 1.03, 1.1, 1.2) of at least
    `fewest_rows` rows of which less than `least_share` passed all rules.

    Those are the rows that happened to have a bid, or to be dear: as a sample of the bucket they are biased.
    """
    bucket = _buckets(chain)
    rows, usable = np.bincount(bucket), np.bincount(bucket, chain.usable)
    thin = (rows >= limits["fewest_rows"]) & (usable < limits["least_share"] * rows)
    failed: Mask = thin[bucket] & chain.usable
    if not thin.any():
        return Finding(rows=failed)
    shares = usable[thin] / rows[thin]
    said = f"{thin.sum()} of {len(rows)} buckets are under {limits['least_share']:.0%} usable, one {shares.min():.0%}"
    return Finding(rows=failed, mild=(said,))


def _buckets(chain: Chain) -> Codes:
    with np.errstate(invalid="ignore", over="ignore"):
        moneyness = np.digitize(chain.strike / chain.underlying_price, MONEYNESS_EDGES)
    number = (chain.expiry * (len(MONEYNESS_EDGES) + 1) + moneyness) * 2 + chain.call
    return np.asarray(pd.factorize(number)[0], dtype=np.int64)
