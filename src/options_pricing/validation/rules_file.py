"""Rules on the day's file as a whole: is it the right day, is it all there, is it new."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from options_pricing.quotes.schema import RAW, names
from options_pricing.run.calendar import NEW_YORK, is_session, why_no_session
from options_pricing.validation.chain import Chain
from options_pricing.validation.rule import Finding, Thresholds, rule

SESSIONS_COMPARED = 5
HTTP_OK = 200
AROUND_THE_CLOCK = ("deribit",)
KEY_COLUMNS = ("underlying", "expiration", "strike", "option_type")
QUOTE_COLUMNS = ("bid", "ask")
ACTIVITY_COLUMNS = ("volume", "open_interest")
EXPIRATIONS_NAMED = 3


@rule("F01", "the source did not answer well", source="OWN (yfinance#824)", severity="halt", scope="day")
def answers(chain: Chain, limits: Thresholds) -> Finding:
    """The last answer of the source must be HTTP 200, and no two payloads may have the same SHA-256.

    What an answer holds is judged while it is fetched; this is about what data_fetch wrote down of it beside the raw
    file. Two equal payloads are one page given for two, such as an expiration that was asked for and another's quotes.
    """
    codes = [int(code) for code in chain.meta.get("response_codes", ())]
    grave = [f"the source answered {codes[-1]}"] if codes and codes[-1] != HTTP_OK else []
    given = {str(each.get("path")): str(each.get("sha256")) for each in chain.meta.get("inputs", ())}
    again = len(given) - len(set(given.values()))
    if again:
        grave.append(f"{again} of {len(given)} payloads repeat another: the source gave one page for two")
    return Finding(grave=tuple(grave))


@rule("F02", "columns are missing or unknown", source="OWN", severity="halt", scope="day")
def columns(chain: Chain, limits: Thresholds) -> Finding:
    """The columns must be those of the raw table; one too many is only worth a warning."""
    wanted, found = set(names(RAW)), set(chain.given_columns)
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    return Finding(
        grave=(f"columns are missing: {', '.join(missing)}",) if missing else (),
        mild=(f"columns are unknown: {', '.join(extra)}",) if extra else (),
    )


@rule(
    "F03",
    "far fewer or more rows than in the sessions before, or an expiration is gone",
    source="OWN",
    severity="halt",
    scope="day",
    halt_below=0.6,
    warn_below=0.8,
    warn_above=2.0,
)
def row_count(chain: Chain, limits: Thresholds) -> Finding:
    """Rows of each underlying over their median in the five sessions before, of expirations after the day alone.

    What expires on a day or has expired before it is listed by some sources and not by others; the morning after a
    large expiration is not an incomplete chain.

    Grave under `halt_below` and where there is no row at all; mild under `warn_below`, over `warn_above`, and where an
    expiration that was listed on the day before is gone though it has not passed.
    """
    if not len(chain):
        return Finding(grave=("the chain has no rows",))
    grave, mild = [], []
    for underlying, today, usual in _row_counts(chain):
        said = f"{underlying} has {today} rows, {today / usual:.0%} of the {usual:.0f} it usually has"
        if today < limits["halt_below"] * usual:
            grave.append(said)
        elif today < limits["warn_below"] * usual or today > limits["warn_above"] * usual:
            mild.append(said)
    return Finding(grave=tuple(grave), mild=(*mild, *_expirations_gone(chain)))


@rule(
    "F04",
    "an underlying has calls only or puts only",
    source="yfinance#1969",
    severity="halt",
    scope="day",
    share_of_rows=0.01,
)
def both_sides(chain: Chain, limits: Thresholds) -> Finding:
    """Each underlying must have at least one call and one put.

    Grave where those that have not hold more than `share_of_rows` of the chain, mild where they hold less: a fund with
    three quotes does not stop a market of hundreds of names.
    """
    sides = pd.DataFrame({"calls": chain.call, "puts": chain.put}).groupby(underlyings(chain)).sum()
    lone = sides[(sides["calls"] == 0) | (sides["puts"] == 0)]
    said = tuple(f"{name} has {row.calls} calls and {row.puts} puts" for name, row in lone.iterrows())
    rows = underlyings(chain).isin(lone.index).sum()
    return Finding(grave=said) if rows > limits["share_of_rows"] * len(chain) else Finding(mild=said)


@rule(
    "F05",
    "quoted long before or after the close",
    source="ORATS (snapshots 14 minutes before the close)",
    severity="quarantine",
    minutes_before=20,
    minutes_after=720,
    halt_share=0.2,
)
def quoted_at_the_close(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with a ``quote_time`` outside of ``[close - minutes_before, close + minutes_after]``; the close of a half
    day is its own (13:00 in New York). The day halts where these are more than `halt_share` of its rows.

    After the close nothing moves: a source that is asked in the evening still shows the quotes of the close, and the
    time it gives is that of the answer. Twelve hours let that pass and stop before the next morning; where a source
    tells each quote's own time, 15 minutes are enough. Rows without a time, and those of markets that never close,
    are not judged.
    """
    taken = chain.table["quote_time"]
    early = taken < chain.close - pd.Timedelta(minutes=limits["minutes_before"])
    late = taken > chain.close + pd.Timedelta(minutes=limits["minutes_after"])
    rows = ((early | late) & ~chain.table["source"].isin(AROUND_THE_CLOCK)).to_numpy(dtype=bool)
    if rows.sum() <= limits["halt_share"] * len(chain):
        return Finding(rows=rows)
    when = f"{taken[rows].min():%Y-%m-%d %H:%M} to {taken[rows].max():%Y-%m-%d %H:%M} UTC"
    said = f"{rows.mean():.1%} of the rows are of {when}, the close was at {chain.close:%Y-%m-%d %H:%M}"
    return Finding(rows=rows, halting=(said,))


@rule("F06", "not of this trading day", source="OWN", severity="halt", scope="day", share_of_rows=0.0)
def trading_day(chain: Chain, limits: Thresholds) -> Finding:
    """The day must be a session, and the rows must be of it.

    Grave where the day is no session of the exchange, where more than `share_of_rows` have another ``trade_date``,
    and where every quote was captured before the day began in New York.
    """
    grave = [] if is_session(chain.day) else [why_no_session(chain.day)]
    other = (chain.table["trade_date"] != chain.date).to_numpy()
    if other.sum() > limits["share_of_rows"] * len(chain):
        dates = chain.table.loc[other, "trade_date"].dt.strftime("%Y%m%d").fillna("no date").unique()
        grave.append(f"{other.sum()} rows are of {', '.join(dates[:EXPIRATIONS_NAMED])}, not of {chain.day}")
    captured = chain.table["quote_time"].max()
    if pd.notna(captured) and captured < chain.date.tz_localize(NEW_YORK):
        grave.append(f"the last quote was captured at {captured:%Y-%m-%d %H:%M} UTC, before that day began")
    return Finding(rows=other, grave=tuple(grave))


@rule(
    "F07",
    "quotes are those of the session before",
    source="OWN",
    severity="halt",
    scope="day",
    halt_from=0.95,
    warn_from=0.5,
    fewest=20,
)
def unchanged(chain: Chain, limits: Thresholds) -> Finding:
    """Share of an underlying's two-sided quotes whose bid and ask are both those of the session before.

    Grave from `halt_from`, mild from `warn_from`, where at least `fewest` contracts can be compared.
    """
    if not chain.previous:
        return Finding()
    today, before = (_two_sided(frame) for frame in (chain.table, chain.previous[-1]))
    before = _of_the_same_contracts(before, today)
    both = before["bid"].notna()
    same = ((today["bid"] == before["bid"]) & (today["ask"] == before["ask"]))[both]
    grave: list[str] = []
    mild: list[str] = []
    for underlying, shares in same.groupby(today["underlying"][both]):
        share, count = shares.mean(), len(shares)
        said = f"{underlying}: {share:.1%} of {count} quotes are those of {day_of(chain.previous[-1])}"
        if count >= limits["fewest"] and share >= limits["warn_from"]:
            (grave if share >= limits["halt_from"] else mild).append(said)
    return Finding(grave=tuple(grave), mild=tuple(mild))


@rule(
    "F08",
    "values are missing",
    source="OWN",
    severity="halt",
    scope="day",
    key_share=0.0,
    quote_share=0.01,
    activity_share=0.2,
)
def null_rates(chain: Chain, limits: Thresholds) -> Finding:
    """Share of nulls by column.

    Grave above `key_share` in what names the contract; mild above `quote_share` in bid and ask, and above
    `activity_share` in volume and open interest.
    """
    grave = _nulls_above(chain, KEY_COLUMNS, limits["key_share"])
    mild = [
        *_nulls_above(chain, QUOTE_COLUMNS, limits["quote_share"]),
        *_nulls_above(chain, ACTIVITY_COLUMNS, limits["activity_share"]),
    ]
    return Finding(grave=tuple(grave), mild=tuple(mild))


def _two_sided(table: pd.DataFrame) -> pd.DataFrame:
    """Underlying, symbol, bid and ask of the quotes with a bid."""
    quoted = (table["bid"] > 0) & table["contract_symbol"].notna()
    return table.loc[quoted, ["underlying", "contract_symbol", "bid", "ask"]].reset_index(drop=True)


def _of_the_same_contracts(before: pd.DataFrame, today: pd.DataFrame) -> pd.DataFrame:
    """For each row of today the first row of the day before that names its contract; nulls where there is none."""
    asked, there = (pa.array(table["contract_symbol"], type=pa.large_string()) for table in (today, before))
    rows = pc.fill_null(pc.index_in(asked, value_set=there), -1).to_numpy()
    return before.reindex(rows).set_axis(today.index)


def underlyings(chain: Chain) -> pd.Series:
    """Each row's underlying, with a name for none."""
    return chain.table["underlying"].fillna("(no underlying)")


def day_of(table: pd.DataFrame) -> str:
    """The trading day of a raw table, ``YYYYMMDD``."""
    return f"{table['trade_date'].max():%Y%m%d}"


def _row_counts(chain: Chain) -> Iterator[tuple[str, int, float]]:
    """For each underlying of the sessions before: its name, its rows today, and the median of its rows then."""
    *before, today = (
        frame.loc[frame["expiration"] > chain.date, "underlying"].value_counts()
        for frame in (*chain.previous[-SESSIONS_COMPARED:], chain.table)
    )
    for name in sorted({name for counts in before for name in counts.index}):
        usual = float(np.median([counts[name] for counts in before if name in counts]))
        yield name, int(today.get(name, 0)), usual


def _expirations_gone(chain: Chain) -> list[str]:
    if not chain.previous:
        return []
    listed = chain.previous[-1][["underlying", "root", "expiration"]].drop_duplicates()
    listed = listed[listed["expiration"] > chain.date]
    found = chain.table[["underlying", "root", "expiration"]].drop_duplicates().assign(found=True)
    gone = listed.merge(found, how="left")
    gone = gone[gone["found"].isna()]
    return [
        f"{root} has no rows for {len(rows)} expirations of the day before: "
        + ", ".join(f"{at:%Y%m%d}" for at in sorted(rows["expiration"])[:EXPIRATIONS_NAMED])
        for root, rows in gone.groupby("root")
    ]


def _nulls_above(chain: Chain, columns: tuple[str, ...], limit: float) -> list[str]:
    shares = chain.table[list(columns)].isna().mean()
    return [f"{share:.2%} of {name} is null" for name, share in shares.items() if share > limit]
