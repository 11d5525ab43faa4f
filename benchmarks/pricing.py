"""How many options a CPU-second prices and inverts: ``python benchmarks/pricing.py``."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from options_pricing.pricing.american import american_implied_vol, american_price
from options_pricing.pricing.black import black_price, price_and_greeks
from options_pricing.pricing.implied_vol import implied_vol

EUROPEAN, AMERICAN, REPEATS = 400_000, 15_000, 5


def per_second(count: int, work: Callable[[], object]) -> float:
    """Options per CPU-second, the best of some repeats."""
    best = np.inf
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return count / best


def main() -> None:
    random = np.random.default_rng(1)
    forward = random.uniform(50, 150, EUROPEAN)
    years = np.exp(random.uniform(np.log(0.02), np.log(3), EUROPEAN))
    vol = random.uniform(0.08, 0.8, EUROPEAN)
    strike = forward * np.exp(random.normal(0, 1.2, EUROPEAN) * vol * np.sqrt(years))
    discount, call = np.exp(-0.04 * years), random.random(EUROPEAN) < 0.5
    terms = forward, strike, years, discount
    price = black_price(*terms, vol, call)
    print(f"black price         {per_second(EUROPEAN, lambda: black_price(*terms, vol, call)) / 1e6:8.2f} M/s")
    print(f"price and greeks    {per_second(EUROPEAN, lambda: price_and_greeks(*terms, vol, call)) / 1e6:8.2f} M/s")
    print(f"implied vol         {per_second(EUROPEAN, lambda: implied_vol(price, *terms, call)) / 1e6:8.2f} M/s")

    few = slice(0, AMERICAN)
    option = forward[few], strike[few], years[few], 0.04, 0.015
    worth = american_price(*option, vol[few], call[few])
    tree = per_second(AMERICAN, lambda: american_price(*option, vol[few], call[few]))
    inverse = per_second(AMERICAN, lambda: american_implied_vol(worth, *option, call[few]))
    print(f"american price      {tree / 1e3:8.1f} k/s")
    print(f"american vol        {inverse / 1e3:8.1f} k/s")


if __name__ == "__main__":
    main()
