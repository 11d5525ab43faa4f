import pandas as pd
import pytest

from options_pricing.models.feature_files import read_features
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import write_csv
from options_pricing.run.errors import BadDataError, MissingInputError


@pytest.fixture
def files(features, tmp_path):
    paths = []
    for day, rows in features.groupby("trade_date"):
        paths.append(tmp_path / f"features_{day:%Y%m%d}.csv")
        write_csv(rows, paths[-1], FEATURES)
    return paths


def test_days_come_in_order_whatever_the_order_of_the_files(files, features):
    for paths in (files, files[::-1]):
        found = read_features(paths)
        pd.testing.assert_frame_equal(found, features)


def test_a_day_twice_is_refused(files, tmp_path):
    again = tmp_path / "again.csv"
    again.write_bytes(files[1].read_bytes())
    with pytest.raises(BadDataError, match="both hold quotes of"):
        read_features([*files, again])


def test_a_missing_file_is_named(files, tmp_path):
    with pytest.raises(MissingInputError, match=r"nowhere\.csv"):
        read_features([*files, tmp_path / "nowhere.csv"])
