import json
from datetime import date

import pandas as pd
import pytest

from options_pricing.release.verify import load_release
from options_pricing.run.errors import MissingInputError, ModelRefusedError
from options_pricing.serving.api import create_app
from options_pricing.serving.asked import LARGEST_BODY, MOST_ROWS

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def release(staged):
    return load_release(staged)


@pytest.fixture(scope="module")
def client(staged):
    return create_app(staged, today=lambda: TODAY).test_client()


@pytest.fixture(scope="module")
def option(release):
    """One listed option as a client asks for it."""
    return release.manifest.golden_rows[0].asked()


@pytest.fixture(scope="module")
def golden(release):
    return release.manifest.golden_rows


def problem(response, status: int) -> dict:
    """The problem document of a response, which must be one."""
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    told = json.loads(response.data)
    assert told["status"] == status
    assert set(told) == {"type", "title", "status", "detail", "errors"}
    assert told["title"]
    assert told["detail"]
    assert "Traceback" not in response.text
    return told


def post(client, *rows):
    return client.post("/price", json={"options": list(rows)})


def test_live_and_ready_name_the_release(client, release):
    assert client.get("/v2/health/live").json == {"live": True}
    ready = client.get("/v2/health/ready")
    assert ready.status_code == 200
    assert ready.json["release_id"] == release.manifest.release_id
    assert ready.json["model_sha256"] == release.model_sha256


def test_a_release_whose_golden_rows_price_otherwise_is_live_and_not_ready(staged_with, golden):
    prices = [row.predicted_price for row in golden]
    prices[3] *= 1 + 1e-9
    rows = [row.model_copy(update={"predicted_price": price}) for row, price in zip(golden, prices, strict=True)]
    client = create_app(staged_with(golden_rows=[row.model_dump() for row in rows])).test_client()
    assert client.get("/v2/health/live").status_code == 200
    assert "1 of" in problem(client.get("/v2/health/ready"), 503)["detail"]


def test_one_price_says_everything_about_itself(client, release, option):
    told = client.get("/price", query_string=option).json
    asked = pd.DataFrame([option]).assign(expiration=pd.to_datetime([option["expiration"]]).astype("datetime64[s]"))
    (priced,) = release.model.price_options(asked).to_dict("records")
    assert {name: told[name] for name in option} == option
    assert told["price"] == priced["predicted_price"]
    assert told["implied_vol"] == priced["predicted_implied_vol"]
    assert told["greeks"] == {name: priced[name] for name in ("delta", "gamma", "vega", "theta", "rho")}
    for name in ("forward", "discount_factor", "year_fraction", "exercise_style", "extrapolated", "reason"):
        assert told[name] == priced[name]
    assert told["underlying_price"] == priced["spot"]
    assert told["release_id"] == release.manifest.release_id
    assert told["model_sha256"] == release.model_sha256
    assert told["as_of"] == "20261120"
    assert told["data_age_days"] == 3
    assert told["simulated"] is True
    assert told["note"] == "SIMULATED market; prices as of the close of 2026-11-20, 3 days ago"


def test_an_extrapolated_price_says_why(client, option):
    told = client.get("/price", query_string=option | {"strike": 10 * option["strike"]}).json
    assert told["extrapolated"] is True
    assert told["price"] is not None
    assert "beyond the fitted quotes" in told["reason"]


def test_golden_prices_come_back_to_the_last_bit_alone_and_together(client, golden):
    together = post(client, *[row.asked() for row in golden]).json["options"]
    alone = [client.get("/price", query_string=row.asked()).json for row in golden]
    assert [told["price"] for told in together] == [row.predicted_price for row in golden]
    assert [told["price"] for told in alone] == [row.predicted_price for row in golden]


def test_a_batch_answers_in_the_order_asked_with_the_release_once(client, release, golden):
    rows = [row.asked() for row in reversed(golden)]
    told = post(client, *rows).json
    assert told["release_id"] == release.manifest.release_id
    assert [{name: given[name] for name in row} for given, row in zip(told["options"], rows, strict=True)] == rows


def test_the_largest_batch_is_answered(client, option):
    short = {key: value for key, value in option.items() if key != "root"}
    body = json.dumps({"options": [short] * MOST_ROWS}, separators=(",", ":"))
    assert len(body) < LARGEST_BODY
    response = client.post("/price", data=body, content_type="application/json")
    assert len(response.json["options"]) == MOST_ROWS


def test_what_can_not_be_priced_is_null_with_its_reason_in_a_batch(client, option):
    unknown, past = option | {"underlying": "NOSUCH"}, option | {"expiration": "2020-01-17"}
    unknown.pop("root", None)
    past.pop("root", None)
    first, second, third = post(client, unknown, option, past).json["options"]
    assert second["price"] > 0
    for told in (first, third):
        assert told["price"] is None
        assert told["reason"]
        assert set(told["greeks"].values()) == {None}


@pytest.mark.parametrize("expiration", ["0001-01-01", "1677-09-20", "2262-04-12", "9999-12-31"])
@pytest.mark.parametrize("strike", [1e-300, 1e9])
def test_absurd_terms_are_answered_with_strict_json(client, option, expiration, strike):
    asked = {key: value for key, value in option.items() if key != "root"}
    response = post(client, asked | {"expiration": expiration, "strike": strike})
    assert response.status_code == 200
    json.loads(response.data, parse_constant=pytest.fail)


def test_model_gives_card_and_manifest(client, release):
    told = client.get("/model").json
    assert told["card"] == release.card
    assert told["manifest"] == release.manifest.model_dump()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"strike": "nan"}, "strike"), ({"expiration": "soon"}, "expiration"), ({"volume": "1"}, "volume")],
)
def test_a_wrong_parameter_is_named(client, option, change, field):
    errors = problem(client.get("/price", query_string=option | change), 422)["errors"]
    assert [(e["row"], e["field"]) for e in errors] == [(None, field)]


def test_an_unknown_underlying_is_404_and_says_which_there_are(client, option, release):
    asked = option | {"underlying": "NOSUCH"}
    told = problem(client.get("/price", query_string=asked), 404)
    assert told["errors"][0]["field"] == "underlying"
    assert release.card["underlyings"][0] in told["detail"]


def test_an_expired_option_is_422_with_the_model_s_reason(client, option):
    asked = {key: value for key, value in option.items() if key != "root"} | {"expiration": "2020-01-17"}
    assert "no price" in problem(client.get("/price", query_string=asked), 422)["detail"]


def test_a_wrong_row_is_named(client, option):
    errors = problem(post(client, option, option | {"strike": -5}), 422)["errors"]
    assert errors == [{"row": 1, "field": "strike", "detail": "Input should be greater than 0"}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/price", rb'{"columns": {"\ud800": 1}}'),
        ("/price", rb'{"options": [{"\ud800": 1}]}'),
        ("/v2/models/options_pricing/infer", rb'{"inputs": [], "\udfff": 1}'),
    ],
)
def test_fault_68_a_field_named_by_half_of_a_surrogate_pair_is_422(client, path, body):
    problem(client.post(path, data=body, content_type="application/json"), 422)


@pytest.mark.parametrize("body", [b"", b"{", b'{"options": [{"strike": NaN}]}', b"[" * 100_000])
def test_a_body_that_is_not_json_is_400(client, body):
    problem(client.post("/price", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_another_content_type_is_415(client, option, kind):
    body = json.dumps({"options": [option]})
    problem(client.post("/price", data=body, headers={"Content-Type": kind}), 415)


def test_a_compressed_body_is_415(client):
    headers = {"Content-Encoding": "gzip"}
    problem(client.post("/price", data=b"\x1f\x8b", content_type="application/json", headers=headers), 415)


def test_a_body_over_the_limit_is_413_whatever_it_says_of_its_length(client):
    body = b" " * (LARGEST_BODY + 1)
    problem(client.post("/price", data=body, content_type="application/json"), 413)
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    problem(client.post("/price", data=body, content_type="application/json", environ_overrides=chunked), 413)


def test_too_many_rows_are_413(client):
    body = json.dumps({"options": [0] * (MOST_ROWS + 1)})
    problem(client.post("/price", data=body, content_type="application/json"), 413)


@pytest.mark.parametrize("path", ["/", "/prices", "/price/", "/v2/health", "/static/x", "/../etc/passwd", "/%00"])
def test_another_path_is_404_and_names_those_there_are(client, path):
    assert "/price" in problem(client.get(path), 404)["detail"]


def test_another_method_is_405_and_names_the_allowed(client):
    response = client.delete("/price")
    problem(response, 405)
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize(("moneyness", "gamma"), [("1", None), ("1.0", None), ("0.9", 0.0), ("1.1", 0.0)])
def test_without_time_the_first_contract_has_the_payoff_and_no_gamma_at_the_money(client, moneyness, gamma):
    told = client.get(f"/predict/0.2/{moneyness}/0.0").json
    assert told["call"]["price"] == max(0.0, 1 - float(moneyness))
    assert told["put"]["price"] == max(0.0, float(moneyness) - 1)
    assert told["call"]["greeks"]["gamma"] == told["put"]["greeks"]["gamma"] == gamma


def test_a_bug_is_500_without_its_traceback(staged, option, monkeypatch, caplog):
    app = create_app(staged)
    monkeypatch.setattr("options_pricing.serving.served.Served.rows", lambda served, asked: 1 / 0)
    told = problem(app.test_client().get("/price", query_string=option), 500)
    assert "division" not in json.dumps(told)
    assert "ZeroDivisionError" in caplog.text


def test_a_refused_release_serves_nothing(staged_copy):
    model = staged_copy / "options_pricing_model.pkl"
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(ModelRefusedError):
        create_app(staged_copy)
    with pytest.raises(MissingInputError):
        create_app(staged_copy / "nothing")
