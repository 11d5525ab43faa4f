"""The tables of the project: which columns, of what type, in what unit, and whether they may be null.

This is the only place that names columns; `docs/files.md` is checked against it.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "integer", "flag", "date", "instant"]


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, unit and meaning."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    nullable: bool = False


RAW = (
    Column("source", "text", "who gave the row: `source.kind` of the parameters, or the vendor of a generic layout"),
    Column("underlying", "text", "ticker of what the option is on"),
    Column("root", "text", "root of the contract symbol (SPX and SPXW are two)", nullable=True),
    Column(
        "contract_symbol",
        "text",
        "OSI symbol without padding: root, YYMMDD, C or P, strike x 1000; deribit: BTC-13FEB26-100000-C",
        nullable=True,
    ),
    Column("trade_date", "date", "the trading day, as the data says it"),
    Column("expiration", "date", "last day of the option", nullable=True),
    Column("strike", "number", "strike price", "currency", nullable=True),
    Column("option_type", "text", "C or P", nullable=True),
    Column("exercise_style", "text", "european or american", nullable=True),
    Column(
        "settlement", "text", "am (opening of the expiration day), pm (its close), utc08 (08:00 UTC)", nullable=True
    ),
    Column("multiplier", "number", "units of the underlying per contract", nullable=True),
    Column("bid", "number", "best bid", "currency per unit of underlying", nullable=True),
    Column("ask", "number", "best ask", "currency per unit of underlying", nullable=True),
    Column("bid_size", "number", "contracts bid for", "contracts", nullable=True),
    Column("ask_size", "number", "contracts offered", "contracts", nullable=True),
    Column("last_price", "number", "price of the last trade", "currency per unit of underlying", nullable=True),
    Column("volume", "number", "contracts traded on the day", "contracts", nullable=True),
    Column("open_interest", "number", "contracts open", "contracts", nullable=True),
    Column(
        "underlying_price",
        "number",
        "the underlying's price as the source gives it",
        "currency",
        nullable=True,
    ),
    Column("quote_time", "instant", "when the quotes were captured", "UTC", nullable=True),
    Column("last_trade_time", "instant", "when the contract last traded", "UTC", nullable=True),
    Column(
        "vendor_implied_vol",
        "number",
        "implied vol by the source, never used by our models",
        "1/year",
        nullable=True,
    ),
    Column(
        "vendor_price",
        "number",
        "what the source calls the market price, where it says one",
        "currency",
        nullable=True,
    ),
)

RATES = (
    Column("maturity_years", "number", "time to maturity", "years"),
    Column("par_yield", "number", "half-yearly coupon of a bond worth par; a bill's yield under a year", "1/year"),
    Column("curve_date", "date", "the day the curve was published: the trading day, or the newest before it"),
    Column("source", "text", "as `rates.kind` of the parameters names it"),
)

# What the text columns that name an option's terms may hold, once rules have judged them.
TERMS = {"option_type": ("C", "P"), "exercise_style": ("european", "american"), "settlement": ("am", "pm", "utc08")}

RAW_ROW = Column("raw_row", "integer", "row of the raw file, the first data row being 0")

VALIDATED = (
    *RAW,
    RAW_ROW,
    Column("warnings", "text", "ids of the rules it fails that only warn, ; between them", nullable=True),
)

QUARANTINE = (*RAW, RAW_ROW, Column("rule_ids", "text", "ids of every rule the row fails, ; between them"))

REPAIRED = (
    RAW_ROW,
    *(
        c
        for c in RAW
        if c.name
        in {"underlying", "root", "contract_symbol", "trade_date", "expiration", "strike", "option_type", "bid", "ask"}
    ),
    Column("mid", "number", "(bid + ask) / 2", "currency"),
    Column("repaired_mid", "number", "the nearest price that leaves no static arbitrage", "currency"),
    Column("change", "number", "repaired_mid less mid; 0 where nothing had to be changed", "currency"),
    Column("inside", "flag", "whether repaired_mid is from bid to ask"),
)

FEATURES = (
    *(c for c in RAW if c.name not in {"bid_size", "ask_size", "last_price", "last_trade_time", "multiplier"}),
    RAW_ROW,
    Column("mid", "number", "(bid + ask) / 2", "currency"),
    Column("forward", "number", "forward of the underlying to the expiry", "currency", nullable=True),
    Column("forward_error", "number", "standard error of forward", "currency", nullable=True),
    Column("discount_factor", "number", "present value of 1 paid at the expiry", nullable=True),
    Column("discount_factor_error", "number", "its standard error; null where no European option tells", nullable=True),
    Column(
        "dividend_yield", "number", "continuous yield to the expiry that the forward implies", "1/year", nullable=True
    ),
    Column("year_fraction", "number", "time to the exact expiry, years of 365 days", "years"),
    Column("moneyness", "number", "strike / forward", nullable=True),
    Column("log_moneyness", "number", "log(strike / forward)", nullable=True),
    Column("standardised_moneyness", "number", "log_moneyness / sqrt(year_fraction)", nullable=True),
    Column(
        "early_exercise_premium",
        "number",
        "American less European price at the implied vol; 0 if european",
        "currency",
        nullable=True,
    ),
    Column(
        "european_price",
        "number",
        "mid less early_exercise_premium: what the option would cost if it were European",
        "currency",
        nullable=True,
    ),
    Column("implied_vol", "number", "Black-76 vol of european_price", "1/year", nullable=True),
    Column("total_variance", "number", "implied_vol^2 * year_fraction", nullable=True),
    Column("vol_time", "number", "implied_vol * sqrt(year_fraction)", nullable=True),
    Column("delta", "number", "change of price per 1 of the forward's spot", nullable=True),
    Column("gamma", "number", "change of delta per 1 of spot", nullable=True),
    Column("vega", "number", "change of price per 1.00 of vol", nullable=True),
    Column("theta", "number", "change of price per calendar day", nullable=True),
    Column("rho", "number", "change of price per 1.00 of rate", nullable=True),
    Column("vanna", "number", "change of delta per 1.00 of vol", nullable=True),
    Column("volga", "number", "change of vega per 1.00 of vol", nullable=True),
    Column("out_of_the_money", "flag", "call with strike >= forward or put with strike < forward"),
)

TRUTH = (
    RAW_ROW,
    Column("contract_symbol", "text", "the contract as it truly is", nullable=True),
    Column("true_implied_vol", "number", "vol of the simulated surface", "1/year", nullable=True),
    Column("true_forward", "number", "forward of the simulated market", "currency", nullable=True),
    Column("true_discount_factor", "number", "discount factor of the simulated market", nullable=True),
    Column("true_price", "number", "price before spread, tick and defect", "currency", nullable=True),
    Column("defect", "text", "the defect planted in the row, if any", nullable=True),
)

PREDICTIONS = (
    Column("protocol", "text", "next_day, same_day or random_rows"),
    Column("model", "text", "name in the model registry"),
    Column("date", "text", "the day predicted, YYYYMMDD"),
    Column("underlying", "text", "ticker"),
    Column("contract_symbol", "text", "OSI symbol without padding"),
    Column("expiration", "date", "last day of the option"),
    Column("strike", "number", "strike price", "currency"),
    Column("option_type", "text", "C or P"),
    Column("held_out", "flag", "false where the model was fitted on this quote"),
    Column("predicted_price", "number", "the model's price", "currency"),
    Column("predicted_implied_vol", "number", "the model's vol", "1/year"),
    Column("bid", "number", "best bid", "currency", nullable=True),
    Column("ask", "number", "best ask", "currency", nullable=True),
    Column("mid", "number", "(bid + ask) / 2", "currency"),
    Column(
        "market_price",
        "number",
        "what the predicted price is held against: mid; in random_rows vendor_price where there is one",
        "currency",
        nullable=True,
    ),
    Column("implied_vol", "number", "the market's vol at mid", "1/year", nullable=True),
    Column(
        "random_walk_implied_vol",
        "number",
        "vol of the benchmark surface of the protocol",
        "1/year",
        nullable=True,
    ),
    Column("forward", "number", "forward", "currency"),
    Column("discount_factor", "number", "discount factor"),
    Column("year_fraction", "number", "years to expiry", "years"),
)

R2_BY_DAY = (
    Column("date", "text", "the day predicted, YYYYMMDD"),
    Column("r2_implied_vol_vs_random_walk", "number", "as in evaluation_metrics.json, of that day", nullable=True),
    Column("r2_price", "number", "as in evaluation_metrics.json, of that day", nullable=True),
)

ERROR_BY_BUCKET = (
    Column("model", "text", "name in the model registry"),
    Column("delta_bucket", "text", "put or call, and its delta in hundredths at the market's vol"),
    Column("maturity_bucket", "text", "days to expiry"),
    Column("quotes", "integer", "how many quotes there are"),
    Column("iv_rmse_vol_points", "number", "root mean square error of implied vol", "0.01/year", nullable=True),
    Column("iv_bias_vol_points", "number", "mean of predicted less market implied vol", "0.01/year", nullable=True),
    Column("median_error_half_spreads", "number", "median of price error over half the spread", nullable=True),
    Column("inside_bid_ask", "number", "share of quotes with the predicted price from bid to ask", nullable=True),
    Column("r2_implied_vol_vs_random_walk", "number", "as in evaluation_metrics.json, of the bucket", nullable=True),
)


def names(table: tuple[Column, ...]) -> list[str]:
    """The column names of a table, in order."""
    return [column.name for column in table]
