"""Rules on static arbitrage between quotes, told apart: what can be traded, and what lies inside the spread.

Prices are calls, European (American ones de-Americanised) and over ``D F``, of the out-of-the-money quotes
(`market.Points`). A row fails where selling at bids and buying at asks earns more than `ticks` ticks and what the
quotes leave open of the forward, and its own quote is the one to blame (`arbitrage.verdicts`). Where only mid prices
earn it, the row that is sold gets a warning: that is noise inside the spread.
"""

from options_pricing.validation.arbitrage import KINDS, Verdict, verdicts
from options_pricing.validation.chain import Chain
from options_pricing.validation.rule import Finding, Thresholds, rule


def _verdict(chain: Chain, kind: str, ticks: float) -> Verdict:
    known = chain.market.verdicts
    if ticks not in known:
        known[ticks] = verdicts(chain.market, ticks)
    return known[ticks][kind]


def _found(chain: Chain, kind: str, limits: Thresholds) -> Finding:
    verdict, row = _verdict(chain, kind, limits["ticks"]), chain.market.points.row
    failed, mild = chain.nothing(), chain.nothing()
    failed[row[verdict.actionable]] = True
    mild[row[verdict.within_spread]] = True
    return Finding(rows=failed, mild_rows=mild)


@rule(
    "A01", "outright arbitrage", source="Cohen-Reisinger-Wang 2020, 1", severity="quarantine", stage="usable", ticks=1
)
def outright(chain: Chain, limits: Thresholds) -> Finding:
    """Fails outside of ``max(1 - k, 0) <= c <= 1``: an option worth less than nothing, or more than the forward."""
    return _found(chain, "outright", limits)


@rule(
    "A02", "vertical spread arbitrage", source="Carr-Madan 2005, eq. 8", severity="quarantine", stage="usable", ticks=1
)
def vertical(chain: Chain, limits: Thresholds) -> Finding:
    """Fails outside of ``0 <= (c(k1) - c(k2)) / (k2 - k1) <= 1`` for neighbouring strikes ``k1 < k2``."""
    return _found(chain, "vertical", limits)


@rule("A03", "butterfly arbitrage", source="Carr-Madan 2005, eq. 9", severity="quarantine", stage="usable", ticks=1)
def butterfly(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where `c` is above the chord of the neighbouring strikes:
    ``c(k1) - (k3 - k1) / (k3 - k2) c(k2) + (k2 - k1) / (k3 - k2) c(k3) < 0``."""
    return _found(chain, "butterfly", limits)


@rule("A04", "calendar arbitrage", source="Carr-Madan 2005, eq. 10", severity="quarantine", stage="usable", ticks=1)
def calendar(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where `c` is above that of the next expiration at the same `k` (to a hundredth of a percent)."""
    return _found(chain, "calendar", limits)


@rule(
    "A05",
    "calendar vertical arbitrage",
    source="Cohen-Reisinger-Wang 2020, 5",
    severity="quarantine",
    stage="usable",
    ticks=1,
)
def calendar_vertical(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where `c` is above that of the next expiration at the next smaller `k`, or at the next greater one by more
    than the difference of the `k`."""
    return _found(chain, "calendar_vertical", limits)


@rule(
    "A06",
    "calendar butterfly arbitrage",
    source="Cohen-Reisinger-Wang 2020, 6",
    severity="quarantine",
    stage="usable",
    ticks=1,
)
def calendar_butterfly(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where `c` is above the chord of the next expiration's strikes on either side of `k`."""
    return _found(chain, "calendar_butterfly", limits)


@rule(
    "A07",
    "arbitrage that can be traded",
    source="Cohen-Reisinger-Wang 2020 (prices within bid and ask)",
    severity="quarantine",
    stage="usable",
    ticks=1,
    halt_share=0.02,
)
def actionable(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with any of A01 to A06 at bid and ask. The day halts where these are more than `halt_share` of its rows."""
    rows = chain.nothing()
    for kind in KINDS:
        rows[chain.market.points.row[_verdict(chain, kind, limits["ticks"]).actionable]] = True
    share = rows.mean() if len(chain) else 0.0
    said = (f"{rows.sum()} quotes, {share:.1%} of the rows, are part of an arbitrage that can be traded",)
    return Finding(rows=rows, halting=said if share > limits["halt_share"] else ())
