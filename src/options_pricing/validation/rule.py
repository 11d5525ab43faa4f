"""What a rule is: a function with an id, a severity and thresholds that params.yaml may change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from options_pricing.run.params import Severity
from options_pricing.validation.chain import Chain

Mask: TypeAlias = NDArray[np.bool_]
Thresholds: TypeAlias = Mapping[str, float]
Scope: TypeAlias = Literal["rows", "day"]
Stage: TypeAlias = Literal["table", "usable", "verdicts"]
STAGES: tuple[Stage, ...] = ("table", "usable", "verdicts")


@dataclass(frozen=True)
class Finding:
    """What a rule found in a chain.

    Parameters
    ----------
    rows : ndarray of bool, optional
        The rows that fail, one entry per row of the chain.
    mild_rows : ndarray of bool, optional
        Rows that fail in a way that only deserves a warning, whatever the rule's severity.
    grave : tuple of str
        Sentences on the day as a whole that call for the rule's severity.
    mild : tuple of str
        Sentences on the day as a whole that only deserve a warning.
    halting : tuple of str
        Sentences that stop the day although the rule is one on rows: too many of them fail. They count as `mild`
        where the rule's severity is ``warn``.
    """

    rows: Mask | None = None
    mild_rows: Mask | None = None
    grave: tuple[str, ...] = ()
    mild: tuple[str, ...] = ()
    halting: tuple[str, ...] = ()


Judge: TypeAlias = Callable[[Chain, Thresholds], Finding]


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue, with its own defaults.

    Parameters
    ----------
    id : str
        ``P03``, as in the catalogue.
    title : str
        What makes a row, or the day, fail; a few words.
    source : str
        Where the rule comes from.
    severity : str
        ``halt``, ``quarantine`` or ``warn``.
    scope : str
        ``rows`` judges each row, ``day`` the chain as a whole (which cannot be put into quarantine).
    thresholds : mapping of str to float
    judge : callable
        The function that finds what fails; its docstring holds the formula.
    stage : str
        ``table`` judges the table as it came, ``usable`` what the rules before it leave (a quote that is wrong already
        proves nothing about its neighbours), ``verdicts`` what all others have said.
    """

    id: str
    title: str
    source: str
    severity: Severity
    scope: Scope
    thresholds: Thresholds
    judge: Judge
    stage: Stage = "table"

    def __call__(self, chain: Chain, **changed: float) -> Finding:
        """Judge a chain with the default thresholds but for those `changed`."""
        return self.judge(chain, {**self.thresholds, **changed})


def rule(
    id: str,
    title: str,
    *,
    source: str,
    severity: Severity,
    scope: Scope = "rows",
    stage: Stage = "table",
    **thresholds: float,
) -> Callable[[Judge], Rule]:
    """Make a rule out of a function ``(chain, thresholds) -> Finding``."""

    def made(judge: Judge) -> Rule:
        return Rule(id, title, source, severity, scope, thresholds, judge, stage)

    return made
