"""All rules in the order in which they are reported. A new rule is a function in one of the rooms and a line here."""

from dataclasses import dataclass

from options_pricing.run.errors import BadParamsError
from options_pricing.run.params import Severity, Validation
from options_pricing.validation import (
    rules_arbitrage,
    rules_bounds,
    rules_file,
    rules_identity,
    rules_price,
    rules_sample,
    rules_underlying,
    rules_vol,
)
from options_pricing.validation.rule import Rule, Thresholds

VERSION = "2"

RULES: tuple[Rule, ...] = (
    rules_file.answers,
    rules_file.columns,
    rules_file.row_count,
    rules_file.both_sides,
    rules_file.quoted_at_the_close,
    rules_file.trading_day,
    rules_file.unchanged,
    rules_file.null_rates,
    rules_underlying.underlying_price,
    rules_underlying.simultaneous,
    rules_underlying.rate_curve,
    rules_identity.strike,
    rules_identity.expiration,
    rules_identity.contract,
    rules_identity.standard,
    rules_identity.repeated,
    rules_identity.conflicting,
    rules_price.priced,
    rules_price.zero_bid,
    rules_price.crossed,
    rules_price.spread,
    rules_price.cheap,
    rules_price.tick_grid,
    rules_price.beyond_the_bids,
    rules_price.idle,
    rules_bounds.lower_bound,
    rules_bounds.exercise_value,
    rules_bounds.upper_bound,
    rules_bounds.no_implied_vol,
    rules_bounds.parity,
    rules_bounds.implied_rate,
    rules_arbitrage.outright,
    rules_arbitrage.vertical,
    rules_arbitrage.butterfly,
    rules_arbitrage.calendar,
    rules_arbitrage.calendar_vertical,
    rules_arbitrage.calendar_butterfly,
    rules_arbitrage.actionable,
    rules_vol.implied_vol_range,
    rules_vol.vague_vol,
    rules_vol.days_to_expiration,
    rules_vol.moneyness,
    rules_vol.off_the_smile,
    rules_vol.vol_jump,
    rules_sample.thin_bucket,
)


@dataclass(frozen=True)
class AppliedRule:
    """A rule with the severity and thresholds that are in force."""

    rule: Rule
    severity: Severity
    thresholds: Thresholds


def rules_in_force(validation: Validation) -> list[AppliedRule]:
    """Every rule of the catalogue as ``validation.rules`` of params.yaml wants it.

    Raises
    ------
    BadParamsError
        It names a rule or a threshold that there is not, or puts a whole day into quarantine; all of them are listed.
    """
    known = {rule.id: rule for rule in RULES}
    problems = [
        f"validation.rules.{id}: no such rule (there are {', '.join(known)})"
        for id in validation.rules
        if id not in known
    ]
    for rule in RULES:
        problems += _problems(rule, validation)
    if problems:
        raise BadParamsError(
            "validation.rules cannot be applied",
            why="; ".join(problems),
            fix="correct these keys in the parameter file",
        )
    return [_applied(rule, validation) for rule in RULES]


def _problems(rule: Rule, validation: Validation) -> list[str]:
    asked = validation.rules.get(rule.id)
    if asked is None:
        return []
    known = ", ".join(rule.thresholds) or "none"
    found = [
        f"validation.rules.{rule.id}.thresholds.{name}: no such threshold (there are: {known})"
        for name in asked.thresholds
        if name not in rule.thresholds
    ]
    if rule.scope == "day" and asked.severity == "quarantine":
        found.append(f"validation.rules.{rule.id}.severity: it judges the whole day, so halt, warn or off")
    return found


def _applied(rule: Rule, validation: Validation) -> AppliedRule:
    asked = validation.rules.get(rule.id)
    if asked is None:
        return AppliedRule(rule, rule.severity, rule.thresholds)
    return AppliedRule(rule, asked.severity or rule.severity, {**rule.thresholds, **asked.thresholds})
