import numpy as np
import pandas as pd
import pytest

from options_pricing.models.forward_curve import CARRY, ForwardCurve, with_forwards


@pytest.fixture
def listed():
    years = np.array([0.1, 0.5, 1.0])
    return pd.DataFrame(
        {
            "year_fraction": years,
            "forward": 100 * np.exp(0.03 * years),
            "discount_factor": np.exp(-0.04 * years),
            "dividend_yield": 0.01,
        }
    )


@pytest.mark.parametrize("years", [0.01, 0.1, 0.3, 0.75, 1.0, 3.0])
def test_a_constant_carry_is_constant_everywhere(listed, years):
    forward, discount, dividends = ForwardCurve(listed).at(np.array([years]))
    assert forward == pytest.approx(100 * np.exp(0.03 * years))
    assert discount == pytest.approx(np.exp(-0.04 * years))
    assert dividends == pytest.approx(0.01)


def test_between_expirations_logs_are_linear(listed):
    listed.loc[1, "forward"] *= 1.01
    middle = ForwardCurve(listed).at(np.array([0.3]))[0]
    assert middle == pytest.approx(np.sqrt(listed["forward"][0] * listed["forward"][1]))


def test_expirations_at_one_time_count_by_their_mean(listed):
    twice = pd.concat([listed, listed.assign(forward=listed["forward"] * 1.02)])
    assert ForwardCurve(twice).at(np.array([0.5]))[0] == pytest.approx(listed["forward"][1] * np.sqrt(1.02))


def test_only_missing_forwards_are_filled(features):
    day = features[features["trade_date"] == features["trade_date"].max()].copy()
    gone = (day["expiration"] == sorted(day["expiration"].unique())[3]) & (day["underlying"] == "IDX")
    holed = day.copy()
    holed.loc[gone, CARRY] = np.nan
    filled = with_forwards(holed)
    pd.testing.assert_frame_equal(filled[~gone], day[~gone])
    np.testing.assert_allclose(filled.loc[gone, CARRY], day.loc[gone, CARRY], rtol=1e-9)


def test_without_any_forward_nothing_is_made_up(features):
    day = features[features["trade_date"] == features["trade_date"].max()].copy()
    day.loc[day["underlying"] == "ETF", CARRY] = np.nan
    assert with_forwards(day).equals(day)
