"""The rows that validation set aside: by which rules, and why."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.run.errors import TaskError
from options_pricing.serving import beside
from options_pricing.serving.app.look import Colours, framed
from options_pricing.serving.app.view import View, draw, iso, nothing, plain, say_error, say_with_file

ALL = "All rules"
IN_QUARANTINE = "rows (in quarantine)"
MOST_ROWS, FEW_RULES = 2000, 12
CAPTION = (
    "Rows in quarantine that fail each rule; a row may fail several and counts for each. Striped rules only warn: none "
    "of them sets a row aside. The report counts the rows that were kept too. It says what was not used, not what is "
    "wrong with the market."
)
SHOWN = ["underlying", "root", "contract_symbol", "expiration", "strike", "option_type", "bid", "ask", "volume",
         "open_interest", "raw_row", "rule_ids", "reasons"]  # fmt: skip


def show(view: View) -> None:
    """Draw the page."""
    days = beside.days_of(view.checkout, beside.SET_ASIDE) if view.checkout else []
    if view.checkout is None or not days:
        nothing("Quarantined rows are in data/quarantine of a checkout; " + (
            "the app was started on a release alone." if view.checkout is None else "this one has none."))  # fmt: skip
        return
    usual = days.index(view.release.manifest.as_of) if view.release.manifest.as_of in days else 0
    fields = st.columns([1, 1, 2])
    day = str(fields[0].selectbox("Day", days, usual, format_func=iso, key="quarantined", bind="query-params"))
    try:
        report, rows = beside.validation_of(view.checkout, day), beside.quarantine_of(view.checkout, day)
    except TaskError as error:
        say_error(error)
        return
    rules = rules_of(report, rows)
    _figures(report, rows)
    chosen = fields[1].selectbox("Rule", [ALL, *rules["id"]], key="rule", bind="query-params")
    left, right = st.columns([2, 3])
    with left:
        draw(by_rule(rules, view.colours), CAPTION, key="rules")
    with right:
        st.dataframe(
            rules.rename(columns={"rows": IN_QUARANTINE, "share": "share of all rows"}),
            hide_index=True,
            height="content" if len(rules) <= FEW_RULES else 360,
            row_height=26,
            alt="Rules that rows in quarantine fail",
            column_config={"share of all rows": st.column_config.NumberColumn(format="percent")},
        )
    found = with_reasons(rows, rules) if chosen == ALL else with_reasons(failing(rows, str(chosen)), rules)
    _rows(found, day)


def _figures(report: dict[str, Any] | None, rows: pd.DataFrame) -> None:
    if report is None:
        st.caption(f"{len(rows):,} rows; there is no validation report of this day, so rules have ids only.")
        return
    counts = report["rows"]
    st.caption(f"{plain(report['source'])}: {counts['raw']:,} rows came, {counts['validated']:,} were kept, "
               f"{counts['quarantined']:,} set aside; the day {plain(report['status'])}.")  # fmt: skip


def rules_of(report: dict[str, Any] | None, rows: pd.DataFrame) -> pd.DataFrame:
    """The rules that rows in quarantine fail, most first: ``id``, ``title``, ``severity``, ``rows`` and ``share``."""
    counts = rows["rule_ids"].str.split(";").explode().value_counts()
    told = {rule["id"]: rule for rule in (report or {}).get("rules", [])}
    table = pd.DataFrame({"id": counts.index.astype(str), "rows": counts.to_numpy()})
    table.insert(1, "title", [told.get(rule, {}).get("title", "") for rule in table["id"]])
    table.insert(2, "severity", [told.get(rule, {}).get("severity", "") for rule in table["id"]])
    total = report["rows"]["raw"] if report else len(rows)
    return table.assign(share=table["rows"] / max(total, 1)).sort_values(["rows", "id"], ascending=[False, True])


def failing(rows: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The rows that fail a rule."""
    return rows[[rule in ids.split(";") for ids in rows["rule_ids"]]]


def with_reasons(rows: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Rows with what their rules mean, in words."""
    words = dict(zip(rules["id"], rules["title"], strict=True))
    told = ["; ".join(words.get(rule) or rule for rule in ids.split(";")) for ids in rows["rule_ids"]]
    return rows.assign(reasons=told)


def by_rule(rules: pd.DataFrame, colours: Colours) -> go.Figure:
    """Rows in quarantine by rule, the most at the top; rules that only warn are striped."""
    shown = rules.head(15).iloc[::-1]
    stripes = ["/" if severity == "warn" else "" for severity in shown["severity"]]
    marker = {"color": colours.call, "pattern": {"shape": stripes, "fillmode": "replace", "size": 5}}
    bars = go.Bar(
        x=shown["rows"],
        y=shown["id"],
        orientation="h",
        marker=marker,
        text=shown["rows"],
        textposition="outside",
        cliponaxis=False,
        customdata=shown["title"],
        hovertemplate="%{y}: %{customdata}<br>%{x:,} rows<extra></extra>",
    )
    return framed(go.Figure(bars), x="rows in quarantine", y="rule", height=330).update_yaxes(type="category")


def _rows(rows: pd.DataFrame, day: str) -> None:
    shown = rows[SHOWN]
    if len(shown) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(shown):,} rows; the file has all.")
    st.dataframe(shown.head(MOST_ROWS), hide_index=True, height=340, row_height=26, alt="Quarantined rows",
                 column_config={"expiration": st.column_config.DateColumn()})  # fmt: skip
    words = "Every row as it came, with the ids of all rules it fails and what they mean."
    say_with_file(words, rows, f"quarantine_{day}", key="quarantine")
