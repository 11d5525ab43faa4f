from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.sources.answers import retry_after, safe, shown, whole_json

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Fri, 20 Nov 2026 22:05:00 GMT", 300),
        ("Friday, 20-Nov-26 22:05:00 GMT", 300),
        ("Fri, 20 Nov 2026 21:00:00 GMT", 0),
        (None, 0),
        ("soon", 0),
        ("-5", 0),
        ("٣", 0),
        ("", 0),
    ],
)
def test_fault_01_retry_after_is_read_in_both_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_whatever_stands_in_retry_after_is_a_wait_or_none(value):
    assert retry_after(value, NOW) >= 0


@given(st.binary(max_size=200))
def test_fault_07_what_is_not_json_is_shown_harmlessly(body):
    try:
        whole_json(body)
    except ValueError as error:
        assert str(error).isascii() and str(error).isprintable() and len(str(error)) < 1000


def test_a_byte_order_mark_is_welcome():
    assert whole_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_safe_shows_eighty_characters():
    assert safe("x" * 100) == repr("x" * 80)


def test_an_address_is_shown_without_user_and_query():
    assert shown("https://me:secret@host:81/a/b?token=c#d") == "https://host:81/a/b"
