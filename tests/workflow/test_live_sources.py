"""`snakemake daily` against a local server that shows a chain as each service on the network does."""

import json

import pytest
import yaml

from tests.workflow.replay import SERVED, YIELDS_PATH, serve_yields

pytestmark = pytest.mark.workflow

DAY, DAY_BEFORE = "20261120", "20261119"


@pytest.fixture
def daily(tiny, tmp_path, httpserver, monkeypatch):
    """Run an example of a source in a clone, pointed at the test server; gives the clone and what became of the run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # yfinance keeps cookies there
    checkout = tiny.clone(tmp_path / "repo")
    base_url = httpserver.url_for("").rstrip("/")

    def run(kind, *targets, date=DAY, days=1, shown=DAY):
        httpserver.clear()
        serve, asked = SERVED[kind]
        serve(httpserver, shown)
        serve_yields(httpserver)
        example = yaml.safe_load((checkout.folder / f"examples/{kind}_live.yaml").read_text())
        example["run"] = {"date": date, "days": days}
        example["source"] |= asked | {"base_url": base_url}
        example["rates"] = {"kind": "treasury", "base_url": base_url}
        example["retry"] = {"data_fetch": {"tries": 2, "first_wait": 0.0}}
        (checkout.folder / "params_live.yaml").write_text(yaml.safe_dump(example))
        command = ["snakemake", "--cores", "2", *(targets or ("daily",)), "--config", "params=params_live.yaml"]
        return checkout, checkout.run(*command)

    return run


@pytest.mark.parametrize("kind", SERVED)
def test_each_source_ends_with_a_validated_file_and_a_report(daily, httpserver, kind):
    checkout, done = daily(kind)
    assert done.returncode == 0, done.stderr[-3000:]
    meta = json.loads((checkout.folder / f"data/raw/options_data_{DAY}.meta.json").read_text())
    assert meta["source"] == kind and meta["trade_date"] == DAY and set(meta["response_codes"]) == {200}
    validated = (checkout.folder / f"data/processed/validated_data_{DAY}.csv").read_text().splitlines()
    assert len(validated) > 0.5 * meta["rows"] > 50
    report = (checkout.folder / f"reports/daily/{DAY}/stakeholder_report.md").read_text()
    assert kind in report and "SIMULATED" not in report
    assert '"treasury"' in (checkout.folder / f"data/raw/rates_{DAY}.csv").read_text()
    features = (checkout.folder / f"data/processed/features_{DAY}.csv").read_text().splitlines()
    forward = features[0].split(",").index('"forward"')
    assert any(line.split(",")[forward] for line in features[1:])
    assert any(request.path == YIELDS_PATH for request, _ in httpserver.log)


def test_of_a_window_the_days_that_cannot_be_had_any_more_are_left_out_and_said(daily):
    checkout, done = daily("cboe", "fetch", date=DAY_BEFORE, shown=DAY_BEFORE)
    assert done.returncode == 0, done.stderr[-3000:]
    first = checkout.made()
    for name in first:
        if name.startswith("data/raw/options"):
            (checkout.folder / name).unlink()  # its answers are kept
    _, done = daily("cboe", "fetch", days=3)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "left out, as cboe shows the newest day only: 20261118\n" in done.stderr
    made = checkout.made()
    assert {name: made[name] for name in first} == first
    assert f"data/raw/options_data_{DAY}.csv" in made and "data/raw/options_data_20261118.csv" not in made


def test_a_day_that_is_asked_for_by_name_and_cannot_be_had_is_an_error_that_says_so(daily):
    checkout, done = daily("cboe", "fetch", date=DAY_BEFORE, shown=DAY_BEFORE)
    _, done = daily("cboe", "fetch", date="20261118", shown=DAY)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("data_fetch:")]
    assert said == ["data_fetch: cboe has no chain of XETF for 20261118"]
    assert f"it shows the newest day only, {DAY}; kept from earlier: {DAY_BEFORE}" in done.stderr
    assert "data/raw/options_data_20261118.csv" not in checkout.made()


def test_a_day_made_again_from_its_kept_answers_is_the_same_to_the_byte(daily, httpserver):
    checkout, done = daily("cboe", "fetch")
    assert done.returncode == 0, done.stderr[-3000:]
    first = checkout.made()
    for name in first:
        if name.startswith("data/raw/"):
            (checkout.folder / name).unlink()
    _, done = daily("cboe", "fetch", shown=DAY_BEFORE)
    assert done.returncode == 0, done.stderr[-3000:]
    assert checkout.made() == first and not httpserver.log
