"""Rules on implied vols: is there one, does it mean something, does it belong to its neighbours."""

import numpy as np
import pandas as pd

from options_pricing.validation.chain import Chain, Mask
from options_pricing.validation.rule import Finding, Thresholds, rule
from options_pricing.validation.smile import outliers


def _rows(chain: Chain, points: Mask) -> Mask:
    """The rows of some points of the market."""
    found = chain.nothing()
    found[chain.market.points.row[points]] = True
    return found


@rule(
    "V01",
    "no implied vol, or one that cannot be",
    source="OptionMetrics; CJS 2013",
    severity="quarantine",
    stage="usable",
    lowest=0.01,
    highest=5.0,
)
def implied_vol_range(chain: Chain, limits: Thresholds) -> Finding:
    """Fails without an implied vol of the mid, and with one outside of ``[lowest, highest]`` a year.

    Out of the money only, where vols are taken from: B04 is about the others. CJS 2013 keep 5 to 100 % a year of
    index options of seven days and more; options of a day and stocks trade beyond, so that the limits here are those
    of what a vol can be at all.
    """
    vol = chain.market.vol
    with np.errstate(invalid="ignore"):
        return Finding(rows=_rows(chain, ~((vol >= limits["lowest"]) & (vol <= limits["highest"]))))


@rule(
    "V02",
    "a tick moves the vol too far",
    source="OWN; OptionMetrics (a floor of vega)",
    severity="warn",
    stage="usable",
    most_vol=0.02,
)
def vague_vol(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``tick / vega > most_vol``, out of the money; surfaces weight such quotes by their spread in vol."""
    market = chain.market
    with np.errstate(divide="ignore", invalid="ignore"):
        return Finding(rows=_rows(chain, market.points.tick / market.vega > limits["most_vol"]))


@rule(
    "V03",
    "outside of the days to expiration of studies",
    source="CJS 2013",
    severity="warn",
    fewest_days=7,
    most_days=180,
)
def days_to_expiration(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with fewer than `fewest_days` or more than `most_days` calendar days to the expiration.

    It only warns: each model has a window of its own (``train.min_days_to_expiry``), and what is outside of one is
    not wrong.
    """
    days = (chain.table["expiration"] - chain.date).dt.days.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        return Finding(rows=(days < limits["fewest_days"]) | (days > limits["most_days"]))


@rule("V04", "outside of the moneyness of studies", source="CJS 2013", severity="warn", lowest=0.8, highest=1.2)
def moneyness(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``K / S`` outside of ``[lowest, highest]``; it only warns, as V03 does."""
    with np.errstate(invalid="ignore", over="ignore"):
        ratio = chain.strike / chain.underlying_price
        return Finding(rows=(ratio < limits["lowest"]) | (ratio > limits["highest"]))


@rule(
    "V05",
    "off the smile of its neighbours",
    source="CJS 2013; Visagie 2025",
    severity="quarantine",
    stage="usable",
    deviations=3.0,
    most_of_expiration=0.1,
)
def off_the_smile(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where the log of the vol is off the parabola of its neighbours by more than `deviations` robust
    standard deviations of its expiration *and* by more than the spreads of all five quotes and a tick each explain.

    CJS 2013 fit one parabola to an expiration, whose wings no parabola follows; here it is local
    (`smile.residuals`). Where more than `most_of_expiration` of an expiration would fail, the parabola is wrong and
    not the quotes: these rows only warn. The two quotes at either end have too few neighbours to be judged.
    """
    expiry = chain.market.points.expiry
    out = outliers(chain.market, limits["deviations"])
    share = np.bincount(expiry, out) / np.maximum(np.bincount(expiry), 1) if len(expiry) else np.zeros(0)
    bad = (share > limits["most_of_expiration"])[expiry]
    many = int((share > limits["most_of_expiration"]).sum())
    said = (f"{many} expirations have too many such quotes for these to be wrong",) if many else ()
    return Finding(rows=_rows(chain, out & ~bad), mild_rows=_rows(chain, out & bad), mild=said)


@rule(
    "V06",
    "the vol at the money jumped and the underlying did not",
    source="OWN",
    severity="warn",
    scope="day",
    most_jump=0.5,
    least_move=0.03,
    days=30,
)
def vol_jump(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``|vol / vol before - 1| > most_jump`` while ``|log(S / S before)| < least_move``.

    The vol is that of the quotes next to the forward of the expiration nearest to `days`, on either day. News about
    the stock itself do this too: a person has to look.
    """
    if not chain.previous:
        return Finding()
    last, days = chain.previous[-1], limits["days"]
    today = _at_the_money(chain.table, chain.date, days)
    before = _at_the_money(last, last["trade_date"].max(), days)
    both = today.join(before.add_suffix("_before"), how="inner")
    moved = np.abs(np.log(both["forward"] / both["forward_before"]))
    jumped = both[((both["vol"] / both["vol_before"] - 1).abs() > limits["most_jump"]) & (moved < limits["least_move"])]
    return Finding(
        grave=tuple(
            f"{name} went from {row.vol_before:.1%} to {row.vol:.1%} at the money" for name, row in jumped.iterrows()
        )
    )


def _at_the_money(table: pd.DataFrame, day: pd.Timestamp, days: float) -> pd.DataFrame:
    """Forward and vol at the money of each underlying, from its expiration nearest to `days`, if it has a parity line.

    Sqrt(2 pi / T) times half the straddle over the forward, at the pair next to it (Brenner and Subrahmanyam 1988).
    """
    chain = Chain(_nearest_expirations(table, days), f"{day:%Y%m%d}")
    lines = chain.parity
    forward, years = lines.forward[lines.pairs.expiry], chain.year_fraction[lines.pairs.call]
    with np.errstate(invalid="ignore", divide="ignore"):
        straddle = chain.mid[lines.pairs.call] + chain.mid[lines.pairs.put] - np.abs(lines.pairs.gap)
        vol = np.sqrt(2 * np.pi / years) * straddle / 2 / (forward * lines.discount_factor[lines.pairs.expiry])
    pairs = pd.DataFrame(
        {
            "underlying": chain.table["underlying"].to_numpy()[lines.pairs.call],
            "distance": np.abs(lines.pairs.strike - forward),
            "forward": forward,
            "vol": vol,
        }
    )
    known = pairs[np.isfinite(pairs["forward"]) & np.isfinite(pairs["vol"]) & (pairs["vol"] > 0)]
    return known.sort_values("distance", kind="stable").groupby("underlying").first()


def _nearest_expirations(table: pd.DataFrame, days: float) -> pd.DataFrame:
    """The rows of each underlying's expiration nearest to `days` calendar days away."""
    away = ((table["expiration"] - table["trade_date"]).dt.days - days).abs()
    return table[away == away.groupby(table["underlying"]).transform("min")]
