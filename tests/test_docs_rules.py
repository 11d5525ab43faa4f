"""docs/rules.md lists the rules as the catalogue has them: `pytest --fix tests/test_docs_rules.py` rewrites it."""

from options_pricing.validation.catalogue import RULES, VERSION
from options_pricing.validation.rule import Rule

HEAD = f"""\
# The rules of data_validate

Written from the catalogue (version {VERSION}) by `pytest --fix tests/test_docs_rules.py`: edit the functions in
`src/options_pricing/validation/`, whose docstrings hold each formula, not this page. A row keeps the ids of all rules
it fails; raw = validated + quarantined, and nothing is repaired in place.

- **halt** stops the day: no validated file, exit code 80. **quarantine** sets the row aside with its reasons. **warn**
  writes the id beside the row, or a sentence into the report.
- Rules on the *day* halt or warn. Of rules on *rows*, F05 and A07 also halt where too many rows fail.
- *usable*: judged among the quotes that the rules on the table leave, for a quote that is wrong already proves nothing
  about its neighbours. *last*: judged when all others have spoken.
- Severity and thresholds are changed in the parameter file: `validation: {{rules: {{P04: {{severity: warn, thresholds:
  {{ticks: 5}}}}}}}}`. A rule that is `off` is not asked.

Arbitrage (A01 to A07) is looked for among European-equivalent prices out of the money: from American ones the
early-exercise premium is taken. What survives selling at bids and buying at asks is put aside, one leg of it: the one
that its own neighbours contradict most. What mid prices alone show is noise inside the spread and a warning. In the
money parity (B05) and bounds (B01 to B03) judge.

The windows of studies (V03, V04, P05) and what only surfaces care about (P07, P08, V02) warn: each model has a window
of its own. After the close quotes stand still until the night, and sources that are asked then give the time of their
answer: F05 allows twelve hours. A chain taken during trading halts by it unless `F05: {{severity: warn}}` says that
this is wanted.

"""
TAIL = """
## What they find, and what they take by mistake

`python benchmarks/rules_scores.py --seeds 2`, 2026-11-23. A stale row is a quote of the day before: it is one that
could be true, and is put aside where its neighbours contradict it. Sound rows without a bid are put aside by
definition (P02) and are not counted as mistakes. On real days nobody knows the truth: rows that are put aside by a
judgement (bounds, parity, arbitrage, smile) and not because they are expired, unbid, without an ask or wide are an
upper bound of the mistakes.

| simulated | rows | defects put aside | stale rows put aside | sound rows put aside |
|---|---:|---:|---:|---:|
| tiny, 0% defects | 5,478 |  |  | 1 (0.018%) |
| tiny, 5% defects | 5,555 | 237 of 237 | 13 of 40 | 10 (0.189%) |
| normal, 0% defects | 45,622 |  |  | 8 (0.018%) |
| normal, 5% defects | 46,282 | 1,984 of 1,984 | 94 of 330 | 27 (0.061%) |
| full, 0% defects | 261,984 |  |  | 65 (0.025%) |
| full, 5% defects | 265,778 | 11,388 of 11,389 | 503 of 1,899 | 121 (0.048%) |

| real | rows | put aside | by a judgement alone |
|---|---:|---:|---:|
| SPX, 13 days | 387,334 | 4.65% | 0 |
| SPY, 13 days | 182,952 | 6.66% | 1 |

Real quotes moved by a number of half-spreads, 300 at a time, out of the money and 7 to 400 days from their expiration;
what moves by two is still inside what its neighbours' spreads allow:

| 300 quotes of 20260806 moved by | found | others put aside | day halted by |
|---|---:|---:|---:|
| SPX, 2 half-spreads | 1.7% | 0 |  |
| SPX, 4 half-spreads | 92.3% | 12 |  |
| SPX, 8 half-spreads | 99.3% | 26 |  |
| SPX, 16 half-spreads | 99.7% | 23 |  |
| SPY, 2 half-spreads | 2.0% | 0 |  |
| SPY, 4 half-spreads | 57.7% | 17 |  |
| SPY, 8 half-spreads | 93.0% | 41 | A07 |
| SPY, 16 half-spreads | 99.7% | 57 | A07 |
"""
STAGES = {"table": "", "usable": "usable", "verdicts": "last"}


def line(rule: Rule) -> str:
    limits = ", ".join(f"`{name}` {value:g}" for name, value in rule.thresholds.items())
    where = "day" if rule.scope == "day" else STAGES[rule.stage] or "rows"
    return f"| {rule.id} | {rule.title} | {rule.severity} | {where} | {limits} | {rule.source} |\n"


def rules_md() -> str:
    table = "| id | fails when | effect | of | thresholds | source |\n|---|---|---|---|---|---|\n"
    return HEAD + table + "".join(line(rule) for rule in RULES) + TAIL


def test_the_page_of_rules_is_up_to_date(request, root):
    path = root / "docs" / "rules.md"
    if request.config.getoption("--fix"):
        path.write_text(rules_md(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == rules_md(), "docs/rules.md is out of date: run `make fix`"
