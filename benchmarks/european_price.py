"""Price and greeks of European options, against the peers that work on arrays."""

from collections.abc import Callable

import fast_vollib
import numpy as np
from frame import OURS, Contender, Row, compare
from made_options import RATE, Options, options, with_exact_prices
from pyvolr import bs

from options_pricing.pricing.black import black_price, price_and_greeks

TITLE = "European price and greeks"
NOTE = (
    "Out-of-the-money calls and puts as under European implied vol. Ours are price, delta, gamma, vega, theta, rho, "
    "vanna and volga in one call; the peers have no vanna and volga, and those marked so no price. Flags are booleans "
    "for us and letters, made before, for the peers. The error is the largest relative one of the price, against "
    "exact prices."
)
MANY, EXACT = 400_000, 20_000


def rows() -> list[Row]:
    """Price alone, then price and greeks."""
    given, exact = options(MANY, 11), with_exact_prices(options(EXACT, 12))
    # Past the point where ours goes over to compiled code.
    for _ in range(5):
        price_and_greeks(*given.terms, given.vol, given.call)
    return [
        compare("price", "options", contenders(given, exact, prices)),
        compare("price and greeks", "options", contenders(given, exact, greeks)),
    ]


Priced = dict[str, tuple[Callable[[], object], Callable[[object], object]]]


def contenders(given: Options, exact: Options, made: Callable[[Options], Priced]) -> list[Contender]:
    """Contenders that are timed on `given` and judged on `exact`."""

    def error(name: str) -> Callable[[object], str]:
        run, price_of = made(exact)[name]
        return lambda _: price_error(price_of(run()), exact)

    return [Contender(name, run, len(given.vol), error(name)) for name, (run, _) in made(given).items()]


def price_error(price: object, exact: Options) -> str:
    """The largest relative error, or nothing where there is no price."""
    return "" if price is None else f"{np.max(np.abs(np.ravel(np.asarray(price)) / exact.price - 1)):.1e}"


def prices(given: Options) -> Priced:
    """What prices, and how the price is found in the answer."""
    flag, terms = flagged(given)
    found: dict[str, Callable[[], object]] = {
        OURS: lambda: black_price(*given.terms, given.vol, given.call),
        "pyvolr": lambda: bs.price(flag, *terms),
        "fast-vollib numpy": lambda: fast_vollib.fast_black_scholes(flag, *terms, return_as="numpy", backend="numpy"),
        "fast-vollib numba": lambda: fast_vollib.fast_black_scholes(flag, *terms, return_as="numpy", backend="numba"),
    }
    return {name: (run, lambda answer: answer) for name, run in found.items()}


def greeks(given: Options) -> Priced:
    """What gives greeks; the price is in ours only."""
    flag, terms = flagged(given)

    def every(backend: str) -> Callable[[], object]:
        return lambda: fast_vollib.get_all_greeks(flag, *terms, return_as="dict", backend=backend)

    return {
        OURS: (
            lambda: price_and_greeks(*given.terms, given.vol, given.call, spot=given.spot),
            lambda answer: answer.price,
        ),
        "pyvolr (no price)": (lambda: bs.greeks(flag, *terms), lambda _: None),
        "fast-vollib numpy (no price)": (every("numpy"), lambda _: None),
        "fast-vollib numba (no price)": (every("numba"), lambda _: None),
    }


def flagged(given: Options) -> tuple[np.ndarray, tuple[object, ...]]:
    """Flags and terms as the peers want them."""
    return np.where(given.call, "c", "p"), (given.spot, given.strike, given.year_fraction, RATE, given.vol)
