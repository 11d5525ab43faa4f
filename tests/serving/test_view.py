import io

import pandas as pd
import pytest

from options_pricing.serving.app.view import csv_of


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://example.com","x")',
        "+cmd|' /C calc'!A0",
        "-2+3+cmd",
        "@SUM(1)",
        " =1",
        "\t=1",
        "\r=1",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(text):
    table = pd.DataFrame({"contract_symbol": [text, "XIDX261218C05000000"], "strike": [-1.5, 0.1]})
    back = pd.read_csv(io.BytesIO(csv_of(table)), lineterminator="\n")
    assert back["contract_symbol"].tolist() == [f"'{text}", "XIDX261218C05000000"]
    assert back["strike"].tolist() == [-1.5, 0.1]


def test_other_texts_numbers_and_days_are_as_they_were():
    table = pd.DataFrame(
        {
            "text": ["^SPX", "-1.5", "+2e-3", "", None, "a=b"],
            "number": [-1.0, 1 / 3, None, 1e-300, 5e9, 0.1 + 0.2],
            "day": pd.to_datetime(["2026-12-18"] * 6),
            "kind": pd.Categorical(["C"] * 6),
        }
    )
    plain = table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode()
    assert csv_of(table) == plain
