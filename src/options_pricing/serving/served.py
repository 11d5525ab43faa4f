"""What a worker serves: the release of this moment, made ready to be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from options_pricing.models.columns import Columns
from options_pricing.models.pricer import Pricer
from options_pricing.pricing.black import black_price, price_and_greeks
from options_pricing.pricing.blocks import expect_much
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.release.verify import Release
from options_pricing.serving.answers import answers_of_columns, columns_told, provenance
from options_pricing.serving.current import WITHDRAWN, CurrentRelease
from options_pricing.serving.problems import RequestProblemError

# The current release and the one before, so that a rollback finds it ready.
KEPT = 2


@dataclass(frozen=True)
class Served:
    """One release with what is worked out once for all requests to it."""

    release: Release
    pricer: Pricer

    def provenance(self, today: date) -> dict[str, Any]:
        """Which release speaks, and how old its data is."""
        return provenance(self.release, today)

    def rows(self, asked: Columns) -> list[dict[str, Any]]:
        """An answer for each option."""
        return answers_of_columns(self.release, asked, self.pricer.priced(asked))

    def columns(self, asked: Columns) -> dict[str, Any]:
        """The same answers, column by column."""
        return columns_told(self.release, asked, self.pricer.priced(asked))


def compile_formulas() -> None:
    """Have the pricing formulas compiled, or loaded where they were before: for one option, and for many."""
    expect_much()
    for count in (1, 100):
        one = np.ones(count)
        price_and_greeks(one, one, one, one, one, True)
        implied_vol(black_price(one, one, one, one, one, True), one, one, one, one, True)


class Desk:
    """Where requests are answered: the current release, and today's date at the exchange."""

    def __init__(self, current: CurrentRelease, today: Callable[[], date]) -> None:
        self.current, self.today = current, today
        self._held: list[Served] = []
        self.now()

    def now(self) -> Served:
        """What is served at this moment, for one request to keep to; a problem 503 where it was taken back."""
        if self.current.serving.withdrawn:
            raise RequestProblemError(503, WITHDRAWN, retry_after=30)
        release = self.current.now()
        for served in self._held:
            if served.release is release:
                return served
        made = Served(release, Pricer(release.model))
        self._held = [*self._held, made][-KEPT:]
        return made
