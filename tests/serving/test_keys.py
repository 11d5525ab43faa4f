"""Keys: who is let in."""

import hashlib
import hmac

import pytest

from options_pricing.cli import main
from options_pricing.run.errors import BadParamsError
from options_pricing.serving import keys
from options_pricing.serving.keys import FILE_VARIABLE, VARIABLE, Keys, entry_of, hash_of, is_loopback, new_key


def held(monkeypatch, text: str) -> Keys:
    monkeypatch.setenv(VARIABLE, text)
    return Keys.from_environment()


def test_a_key_is_long_random_and_held_as_its_sha256():
    one, other = new_key(), new_key()
    assert one != other
    assert len(one) >= 43
    assert hash_of(one) == hashlib.sha256(one.encode()).hexdigest()
    assert one not in entry_of("desk", one)


def test_two_keys_of_one_client_are_valid_at_once_and_three_are_refused(monkeypatch):
    made = [new_key() for _ in range(3)]
    entries = [entry_of("desk", key) for key in made]
    both = held(monkeypatch, ",".join(entries[:2]))
    assert [both.client_of(key) for key in made] == ["desk", "desk", None]
    with pytest.raises(BadParamsError, match="at most 2"):
        held(monkeypatch, "\n".join(entries))


def test_keys_stand_in_a_file_too_with_comments(monkeypatch, tmp_path):
    one, other = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, entry_of("desk", one))
    file = tmp_path / "keys"
    file.write_text(f"# who asks\n\n{entry_of('risk', other)}\n")
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    found = Keys.from_environment()
    assert (found.client_of(one), found.client_of(other)) == ("desk", "risk")


@pytest.mark.parametrize("text", ["desk", "desk:12", "desk:" + "g" * 64, "a b:" + "0" * 64, "opk_secret"])
def test_an_entry_that_is_none_is_refused_without_being_repeated(monkeypatch, text):
    with pytest.raises(BadParamsError) as refused:
        held(monkeypatch, text)
    assert text not in str(refused.value)
    assert refused.value.exit_code == 78


def test_a_file_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(BadParamsError):
        Keys.from_environment()


def test_without_entries_there_are_no_keys(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    assert not Keys.from_environment()
    assert held(monkeypatch, "desk:" + "0" * 64)


def test_fault_68_every_entry_is_compared_in_constant_time_whoever_asks(monkeypatch):
    made = [new_key() for _ in range(4)]
    found = Keys(tuple((f"client{n}", hash_of(key)) for n, key in enumerate(made)))
    compared = []

    def noted(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys, "hmac", type("Spy", (), {"compare_digest": staticmethod(noted)}))
    for asked in (made[0], made[3], new_key(), "", "x" * 4000, "\udcff"):
        compared.clear()
        found.client_of(asked)
        # As many comparisons, of as many characters, for a right key, a wrong one and none at all.
        assert compared == [(64, 64)] * 4


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_this_machine_alone(host, local):
    assert is_loopback(host) is local


def test_the_command_prints_a_key_and_the_entry_that_knows_it(capsys, monkeypatch):
    assert main(["keys", "new", "desk"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert held(monkeypatch, second.rsplit(" ", 1)[1]).client_of(first.rsplit(" ", 1)[1]) == "desk"
    assert main(["keys", "new", "two words"]) == 78
