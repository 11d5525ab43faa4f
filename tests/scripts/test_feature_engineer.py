import feature_engineer
import pytest

from options_pricing.quotes.schema import FEATURES, VALIDATED
from options_pricing.quotes.tables import read_csv, write_csv
from options_pricing.run.errors import ExitCode
from options_pricing.surface.zero_curve import ZeroCurve
from tests.surface.made_chain import DAY, made_chain


@pytest.fixture
def validated(tmp_path):
    path = tmp_path / "validated.csv"
    write_csv(made_chain("IDX", spot=5000.0, days=(0, 30, 93)), path, VALIDATED)
    return path


def run(root, tmp_path, validated, *, day=DAY, params=None):
    out, log = tmp_path / "out" / "features.csv", tmp_path / "logs" / "feature_eng.log"
    argv = ["--validated", str(validated), "--out", str(out), "--date", day, "--log", str(log)]
    return feature_engineer.main([*argv, "--params", str(params or root / "params.yaml")]), out, log


def test_features_are_written_and_described(root, tmp_path, validated):
    code, out, log = run(root, tmp_path, validated)
    assert code == ExitCode.OK
    features = read_csv(out, FEATURES)
    assert len(features) == len(read_csv(validated, VALIDATED))
    assert features["implied_vol"].notna().any()
    lines = log.read_text()
    assert "event=start" in lines and "event=end" in lines
    assert f"rows={len(features)}" in lines
    assert all(f"event=feature date={DAY} name={name} mean=" in lines for name in ("implied_vol", "forward", "delta"))
    assert "null_share=" in lines
    assert "event=expirations_without_forward" in lines and "IDX 2026-05-20" in lines


def test_same_input_same_bytes(root, tmp_path, validated):
    _, out, _ = run(root, tmp_path, validated)
    first = out.read_bytes()
    run(root, tmp_path, validated)
    assert out.read_bytes() == first


def test_too_few_pairs_for_any_forward_are_said(root, tmp_path, validated, capsys):
    write_csv(made_chain("IDX", spot=5000.0, strikes=5), validated, VALIDATED)
    code, out, _ = run(root, tmp_path, validated)
    assert code == 0 and read_csv(out, FEATURES)["forward"].isna().all()
    said = capsys.readouterr().err
    assert "nothing_to_fit" in said and "features.min_pairs = 12" in said


def test_another_days_file_is_refused(root, tmp_path, validated, capsys):
    code, out, _ = run(root, tmp_path, validated, day="20260521")
    assert code == ExitCode.BAD_DATA and not out.exists()
    assert "not about 20260521" in capsys.readouterr().err


def test_a_missing_file_is_said(root, tmp_path, capsys):
    code, _, _ = run(root, tmp_path, tmp_path / "nothing.csv")
    assert code == ExitCode.MISSING_INPUT
    assert "nothing.csv is not there" in capsys.readouterr().err


def test_only_its_own_parameters_matter(root, tmp_path, validated):
    params = tmp_path / "params.yaml"
    params.write_text("features: {min_pairs: 200}\n")
    code, out, _ = run(root, tmp_path, validated, params=params)
    assert code == 0 and read_csv(out, FEATURES)["forward"].isna().all()


def with_rates(root, tmp_path, validated, text=None, params=None):
    """Run it on American options, whose discounting no option tells, with a curve of these rows."""
    given = []
    if text is not None:
        (tmp_path / "rates.csv").write_text("maturity_years,par_yield,curve_date,source\n" + text)
        given = ["--rates", str(tmp_path / "rates.csv")]
    (tmp_path / "params.yaml").write_text(params or "{}\n")
    argv = ["--validated", str(validated), "--out", str(tmp_path / "features.csv"), "--date", DAY, *given]
    code = feature_engineer.main([*argv, "--params", str(tmp_path / "params.yaml")])
    return code, read_csv(tmp_path / "features.csv", FEATURES) if code == 0 else None


@pytest.fixture
def american(tmp_path):
    path = tmp_path / "american.csv"
    write_csv(made_chain("ETF", spot=500.0, style="american", days=(93,)), path, VALIDATED)
    return path


def test_the_curve_discounts_where_no_european_option_tells(root, tmp_path, american):
    code, features = with_rates(root, tmp_path, american, "0.25,0.05,2026-05-19,x\n2,0.05,2026-05-19,x\n")
    years = features["year_fraction"].iloc[0]
    expected = ZeroCurve.from_par_yields([0.25, 2.0], [0.05, 0.05]).discount_factor(years)
    assert code == 0 and features["discount_factor"].unique() == pytest.approx([expected], rel=1e-15)


def test_without_a_curve_the_flat_rate_of_the_parameters_counts(root, tmp_path, american):
    _, features = with_rates(root, tmp_path, american, params="rates: {kind: flat, rate: 0.06}\n")
    expected = ZeroCurve.flat(0.06).discount_factor(features["year_fraction"].iloc[0])
    assert features["discount_factor"].unique() == pytest.approx([expected], rel=1e-15)


@pytest.mark.parametrize(
    ("text", "params", "code", "said"),
    [
        (None, "rates: {kind: treasury}\n", 66, "--rates"),
        ("", None, 65, "no risk-free curve"),
        ("1.3,0.05,2026-05-19,x\n", None, 65, "half-years"),
        ("x,0.05,2026-05-19,x\n", None, 65, "rates.csv"),
    ],
    ids=["not-given", "empty", "odd-maturity", "text"],
)
def test_a_curve_that_is_none_is_refused(root, tmp_path, american, capsys, text, params, code, said):
    assert with_rates(root, tmp_path, american, text, params)[0] == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    assert not (tmp_path / "features.csv").exists()
