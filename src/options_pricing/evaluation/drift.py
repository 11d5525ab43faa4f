r"""Whether a day lies otherwise than the days that a release was judged on before it was released.

Each quantity of `sketches` is put into deviations of its cell over the reference days, so that a far expiration, whose
vol moves little, counts as much as a near one. All cells of the day together are then one distribution, held against
that of all reference days:

- ``wasserstein`` is the mean distance between their quantiles, :math:`\int_0^1 |F^{-1}(u) - G^{-1}(u)| du`;
- ``psi`` the population stability index over the fifths of the reference, :math:`\sum (p - q) \log (p / q)`, of which
  the square root is taken, as it is a squared distance. It cannot grow once a day lies in the last fifth alone.

A threshold comes from what the reference days give when each is held against the others. These are few. The square
root of a distance over its root mean square has nearly the same shape everywhere, so `SHAPE` stands beside them as
`SHAPE_DAYS` days more, and the limit is that of the next value to be drawn: Student's, with the freedom of the
reference days alone.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from options_pricing.evaluation.metrics import Array
from options_pricing.evaluation.sketches import QUANTITIES, Sketches

FEWEST_REFERENCE_DAYS = 8
MEASURES = ("wasserstein", "psi")
# Mean and standard deviation, found on one simulated market (seed 1) and used on others.
SHAPE, SHAPE_DAYS = (0.90, 0.25), 20.0
PRIOR_DAYS = 3.0
QUANTILES = (np.arange(50) + 0.5) / 50
FIFTHS = np.arange(1, 5) / 5
# What a few days say of the size of moves is often too small: limits are set for a quarter of the alarms that may be.
SAFETY = 4.0
# How the false alarms that are allowed are shared out. Spreads wander for weeks: they are a warning and no alarm.
SHARES = {
    ("residual", "wasserstein"): 0.6,
    ("move", "wasserstein"): 0.2,
    ("residual", "psi"): 0.1,
    ("move", "psi"): 0.1,
}
WARNINGS = (("spread", "wasserstein"), ("spread", "psi"))
WARNINGS_AS_OFTEN = 3.0
RISE = 0.10
# What all vols times a number do to the log of each quantity, at once.
RISES = np.array([1.0, 1.0, 0.0])

Key = tuple[str, str]


class Finding(NamedTuple):
    """One statistic of a day: what was found, from where on it is a warning and an alarm, and its ``status``.

    `alarm` is None where it is never one. `where` names the underlying and the range of days to expiry that are
    furthest from the reference, each by itself.
    """

    quantity: str
    measure: str
    value: float
    warning: float
    alarm: float | None
    status: str
    where: list[str]


class Detector:
    """The reference days with their thresholds.

    Parameters
    ----------
    reference : Sketches
        Of at least `FEWEST_REFERENCE_DAYS` days.
    quiet_days : int
        In so many quiet days there may be one false alarm.
    """

    def __init__(self, reference: Sketches, quiet_days: int) -> None:
        self.reference = reference
        self.days = len(reference.days)
        self.chance = 1 / (SAFETY * quiet_days)
        ours = [_distances(reference.where(at), reference.where(~at)) for at in _each_day(reference)]
        self._alone = {key: np.array([found[key] for found in ours]) for key in ours[0]}

    def power(self, rise: float = RISE) -> float:
        """The share of reference days that would have been red, had all vols risen by this share on that day.

        It says whether a green status means anything: few days, or wild ones, make limits that nothing exceeds.
        """
        seen = 0
        for at in _each_day(self.reference):
            day = self.reference.where(at)
            risen = day.atoms + np.log1p(rise) * RISES[:, None]
            found = _distances(day._replace(atoms=risen), self.reference.where(~at))
            seen += any(found[key] > self.limit(key, share * self.chance) for key, share in SHARES.items())
        return seen / self.days

    def judge(self, day: Sketches) -> list[Finding]:
        """Every statistic of one day, in the order of `SHARES` and `WARNINGS`; none where no cell is known."""
        found = _distances(day, self.reference)
        return [self._finding(key, found[key], day) for key in (*SHARES, *WARNINGS) if key in found]

    def limit(self, key: Key, chance: float) -> float:
        """What a statistic exceeds on a quiet day with this chance."""
        values = self._alone[key]
        scale = np.sqrt(np.mean(values**2))
        roots = np.sqrt(values / scale)
        (mean, deviation), days = SHAPE, len(roots)
        middle = (roots.sum() + SHAPE_DAYS * mean) / (days + SHAPE_DAYS)
        squares = ((roots - roots.mean()) ** 2).sum() + SHAPE_DAYS * deviation**2
        spread = np.sqrt(squares / (days - 1 + SHAPE_DAYS) * (1 + 1 / days))
        return float(scale * (middle + student.ppf(1 - chance, days - 1) * spread) ** 2)

    def _finding(self, key: Key, value: float, day: Sketches) -> Finding:
        share = SHARES.get(key)
        chance = (share or 1 / len(WARNINGS)) * self.chance
        alarm = None if share is None else self.limit(key, chance)
        warning = self.limit(key, chance * (WARNINGS_AS_OFTEN if share else 1))
        status = "red" if alarm is not None and value > alarm else "amber" if value > warning else "green"
        where = [] if status == "green" else self._where(key, day)
        return Finding(*key, value, warning, alarm, status, where)

    def _where(self, key: Key, day: Sketches) -> list[str]:
        found = []
        for names, ours in ((day.underlying, self.reference.underlying), (day.maturity, self.reference.maturity)):
            apart = {
                str(name): _distances(day.where(names == name), self.reference.where(ours == name)).get(key, 0.0)
                for name in np.intersect1d(names, ours)
            }
            found.append(max(apart, key=lambda name: apart[name]))
        return found


def status_of(findings: list[Finding]) -> str:
    """The worst of a day's findings."""
    statuses = {finding.status for finding in findings}
    return next((status for status in ("red", "amber", "green") if status in statuses), "unknown")


def as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """Findings as a file keeps them."""
    return [finding._asdict() for finding in findings]


def _each_day(sketches: Sketches) -> Iterator[NDArray[np.bool_]]:
    for day in sketches.days:
        yield sketches.date == day


def _distances(day: Sketches, reference: Sketches) -> dict[Key, float]:
    """Every statistic of the cells of a day that the reference knows; empty where it knows none."""
    names, cell = np.unique(_cells(reference), return_inverse=True)
    place = np.minimum(np.searchsorted(names, _cells(day)), len(names) - 1)
    known = names[place] == _cells(day) if len(names) else np.zeros(len(place), dtype=bool)
    if not known.any():
        return {}
    middle, scale = _deviations(reference.atoms, cell, len(names))
    ours = (day.atoms[known] - middle[place[known]]) / scale[place[known]]
    theirs = (reference.atoms - middle[cell]) / scale[cell]
    measured = {"wasserstein": _wasserstein, "psi": _root_psi}
    return {
        (quantity, measure): distance(ours[:, at].ravel(), theirs[:, at].ravel())
        for at, quantity in enumerate(QUANTITIES)
        for measure, distance in measured.items()
    }


def _deviations(atoms: Array, cell: NDArray[np.intp], cells: int) -> tuple[Array, Array]:
    """Middle and root mean square of each quantity in each cell, for atoms to be put into; the latter shrunk.

    Residuals and moves are about 0 as they are: the mean of a few days is chance.
    """
    days = np.bincount(cell, minlength=cells)[:, None, None]
    middle = np.zeros((cells, len(QUANTITIES), 1))
    spread = QUANTITIES.index("spread")
    middle[:, spread, 0] = np.bincount(cell, atoms[:, spread].mean(axis=1), minlength=cells) / days[:, 0, 0]
    squares = np.zeros_like(middle)
    np.add.at(squares, cell, np.mean((atoms - middle[cell]) ** 2, axis=2, keepdims=True))
    together = squares.sum(axis=0) / days.sum()
    return middle, np.sqrt((squares + PRIOR_DAYS * together) / (days + PRIOR_DAYS))


def _wasserstein(ours: Array, theirs: Array) -> float:
    return float(np.abs(np.quantile(ours, QUANTILES) - np.quantile(theirs, QUANTILES)).mean())


def _root_psi(ours: Array, theirs: Array) -> float:
    edges = np.quantile(theirs, FIFTHS)
    p, q = (_shares(values, edges) for values in (ours, theirs))
    return float(np.sqrt(((p - q) * np.log(p / q)).sum()))


def _shares(values: Array, edges: Array) -> Array:
    """The share of each fifth; half a value more in each, so that none is empty."""
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) + 0.5
    return np.asarray(counts / counts.sum())


def _cells(sketches: Sketches) -> NDArray[np.str_]:
    parts = zip(sketches.underlying, sketches.maturity, sketches.place, strict=True)
    return np.array(["\n".join(part) for part in parts], dtype=str)
