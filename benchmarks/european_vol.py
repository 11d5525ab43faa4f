"""Implied vol of European options: speed against every peer that works on arrays, accuracy against exact prices."""

import sys
from collections.abc import Callable
from statistics import median

import fast_vollib
import numpy as np
from fast_vollib.jackel.jackel_iv import jackel_iv_black
from frame import OURS, ROOT, Contender, Result, Row, compare, measure_command
from made_options import RATE, Options, options, with_exact_prices
from py_vollib_vectorized import vectorized_implied_volatility
from pyvolr import bs

from options_pricing.pricing.implied_vol import implied_vol

TITLE = "European implied vol"
NOTE = (
    "Options of a day to three years, 5 to 200 % vol, strikes of half to twice the forward. Speed: calls in and out of "
    "the money, so that no peer pays for parsing flags, each called as its caller would (conversions included); time "
    "value at least 1e-4 on an underlying of 100. Accuracy: out of the money, the largest relative error of vol where "
    "the price is the double nearest to the exact one, in the quotable region and in the deep wings (prices of 1e-250 "
    "to 1e-4), with how many vols are missing or wrong by more than 1e-6. Ours goes over to compiled code after 1.5 "
    "million options, with the same bits; the first rows are after that, the last is a script that inverts one chain: "
    "imports, flags and all in a new process, compiled code from the cache."
)
MANY, EXACT, CHAIN, ROUNDS = 400_000, 20_000, 30_000, 5
OF_A_CHAIN = """
import sys
sys.path.insert(0, {source!r})
import numpy
strike = numpy.linspace(60, 160, {count})
call, price = strike >= 100, numpy.full(strike.size, 0.5)
{use}
"""
USES = {
    OURS: """
from options_pricing import implied_vol
implied_vol(price, 100.0, strike, 0.5, 0.98, call)
""",
    "fast-vollib jackel_iv_black": """
from fast_vollib.jackel.jackel_iv import jackel_iv_black
jackel_iv_black(price / 0.98, numpy.full(strike.size, 100.0), strike, numpy.full(strike.size, 0.5), call)
""",
    "py_vollib_vectorized": """
from py_vollib_vectorized import vectorized_implied_volatility
flag = numpy.where(call, "c", "p")
vectorized_implied_volatility(price, 98.0, strike, 0.5, 0.04040541463, flag, return_as="numpy", on_error="ignore")
""",
    "pyvolr": """
from pyvolr import bs
bs.implied_vol(price, numpy.where(call, "c", "p"), 98.0, strike, 0.5, 0.04040541463, on_error="ignore")
""",
}


def rows() -> list[Row]:
    """Speed, then accuracy in both regions."""
    out, inside = options(MANY, 7), options(MANY, 8, in_the_money=True)
    calls = [part.take(np.flatnonzero(part.call)[: MANY // 4]) for part in (out, inside)]
    both = Options(*(np.concatenate(pair) for pair in zip(*calls, strict=True)))
    shuffled = both.take(np.random.default_rng(1).permutation(len(both.vol)))
    work = {
        "calls, half of them in the money": shuffled,
        "quotable, exact prices": with_exact_prices(options(EXACT, 9)),
        "deep wings, exact prices": with_exact_prices(options(EXACT, 10, deep=True)),
    }
    for _ in range(5):
        implied_vol(shuffled.price, *shuffled.terms, shuffled.call)
    return [*(compare(name, "options", contenders(given)) for name, given in work.items()), one_chain()]


def one_chain() -> Row:
    """A script that inverts one chain, in turn with the peers' scripts."""
    scripts = {
        name: [sys.executable, "-c", OF_A_CHAIN.format(source=str(ROOT / "src"), count=CHAIN, use=use)]
        for name, use in USES.items()
    }
    runs: dict[str, list[Result]] = {name: [] for name in scripts}
    for turn in range(ROUNDS + 1):
        for name, script in scripts.items():
            found = measure_command(script)
            if turn:
                runs[name].append(found)
    middle = [
        Result(name, median(run.cpu for run in found), median(run.wall for run in found))
        for name, found in runs.items()
    ]
    return Row(f"a script for one chain of {CHAIN:,} quotes", "scripts", middle)


def contenders(given: Options) -> list[Contender]:
    """Ours and the peers on the same options; flags as letters only where there are puts among them."""
    growth = 1 / given.discount_factor
    only_calls = bool(given.call.all())
    flag = "c" if only_calls else np.where(given.call, "c", "p")
    black = given.price, given.spot, given.strike, given.year_fraction
    solvers: dict[str, Callable[[], object]] = {
        OURS: lambda: implied_vol(given.price, *given.terms, given.call),
        "fast-vollib jackel_iv_black": lambda: jackel_iv_black(
            given.price * growth, given.forward, given.strike, given.year_fraction, given.call
        ),
        "fast-vollib numba": lambda: fast_vollib.fast_implied_volatility(
            *black, RATE, flag, return_as="numpy", backend="numba", on_error="ignore"
        ),
        "pyvolr": lambda: bs.implied_vol(
            given.price, flag, given.spot, given.strike, given.year_fraction, RATE, on_error="ignore"
        ),
        "py_vollib_vectorized": lambda: vectorized_implied_volatility(
            *black, RATE, flag, return_as="numpy", on_error="ignore"
        ),
    }
    return [judged(name, solver, given) for name, solver in solvers.items()]


def judged(name: str, solver: Callable[[], object], given: Options) -> Contender:
    """A contender with its errors; broken where a vol in two thousand is missing or wrong."""
    wrong = share_wrong(np.ravel(np.asarray(solver(), dtype=float)), given)
    broken = f"{100 * wrong:.1f} % missing or wrong" if wrong > 5e-4 else ""
    return Contender(name, solver, len(given.vol), lambda found: error(found, given), broken)


def error(found: object, given: Options) -> str:
    """The largest relative error of vol and the number that is missing or wrong by more than 1e-6.

    In the money it is the error of the price that the vol gives, since the price itself does not hold the vol better.
    """
    vols = np.ravel(np.asarray(found, dtype=float))
    out_of_the_money = given.call == (given.strike >= given.forward)
    relative = np.abs(vols / given.vol - 1)[out_of_the_money]
    right = relative[relative <= 1e-6]
    missing = f", {relative.size - right.size} of {relative.size} wrong" if right.size < relative.size else ""
    return f"{right.max() if right.size else np.nan:.1e}{missing}"


def share_wrong(vols: np.ndarray, given: Options) -> float:
    """How many vols are NaN, or wrong by more than 1e-6 where the price holds them that well."""
    return float(np.mean(~(np.abs(vols / given.vol - 1) <= 1e-6)))
