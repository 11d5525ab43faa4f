import json
import logging
import traceback

import pytest

from options_pricing.release import verify
from options_pricing.release.ledger import Ledger
from options_pricing.release.manifest import CARD_FILE, MANIFEST_FILE, MODEL_FILE
from options_pricing.release.signing import (
    KEY,
    KEY_FILE,
    SIGNATURE_FILE,
    WrongSignatureError,
    check_signature,
    key_id,
    release_key,
    sign,
    signature_bytes,
)
from options_pricing.release.staging import deployment_status, release_files, write_files
from options_pricing.release.verify import load_release, load_trained, read_manifest
from options_pricing.run.errors import BadParamsError, ModelRefusedError
from options_pricing.run.files import sha256_of
from options_pricing.run.log import LogfmtFormatter
from tests.made_release import edit_manifest, fingerprint, write_trained

SECRET = "0123456789abcdef-a key of this test-"
OTHER = "another key, of thirty-two letters or more"
MANIFEST = b'{"release_id": "0123456789ab"}'


@pytest.fixture
def signed(tmp_path, monkeypatch):
    """A release that was signed, on the machine that has the key."""
    monkeypatch.setenv(KEY, SECRET)
    files = release_files(*write_trained(tmp_path), golden_count=3)
    folder = tmp_path / "signed"
    folder.mkdir()
    write_files(folder, files)
    return folder


def test_the_key_comes_from_its_variable_or_from_the_file_that_the_other_names(tmp_path, monkeypatch):
    assert release_key() is None
    monkeypatch.setenv(KEY, SECRET)
    assert release_key() == SECRET.encode()
    monkeypatch.delenv(KEY)
    file = tmp_path / "key"
    file.write_text(SECRET + "\n")
    monkeypatch.setenv(KEY_FILE, str(file))
    assert release_key() == SECRET.encode()


@pytest.mark.parametrize(
    ("variable", "file"),
    [
        ("short secret", None),
        ("", None),
        (" " + SECRET, None),
        (SECRET, SECRET.encode()),
        (None, b"short secret"),
        (None, b""),
        (None, SECRET.encode() + b"\n" + SECRET.encode()),
        (None, b"\xff" + SECRET.encode()),
        (None, 1000 * SECRET.encode()),
        (None, None),
    ],
)
def test_what_cannot_be_a_key_is_told_without_the_key(tmp_path, monkeypatch, variable, file):
    if variable is not None:
        monkeypatch.setenv(KEY, variable)
    if variable is None or file is not None:
        monkeypatch.setenv(KEY_FILE, str(tmp_path / "key"))
    if file is not None:
        (tmp_path / "key").write_bytes(file)
    with pytest.raises(BadParamsError) as caught:
        release_key()
    assert KEY in str(caught.value)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told and "short secret" not in told


def test_a_signature_is_verified_with_its_key_and_told_unverified_without_one():
    content = signature_bytes(sign(MANIFEST, SECRET.encode()))
    assert check_signature(content, MANIFEST, SECRET.encode()) == "signed"
    assert check_signature(content, MANIFEST, None) == "signed, not verified here"
    assert check_signature(signature_bytes(sign(MANIFEST, None)), MANIFEST, None) == "unsigned"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (signature_bytes(sign(MANIFEST, None)), "unsigned"),
        (signature_bytes(sign(MANIFEST, OTHER.encode())), key_id(OTHER.encode())),
        (signature_bytes(sign(MANIFEST + b" ", SECRET.encode())), "not the one that was signed"),
        (signature_bytes(sign(MANIFEST, SECRET.encode())) + b"\n", "not written"),
        (b'{"scheme": "none"}', "no signature file"),
        (b"[" * 100_000, "no signature file"),
        (b"", "no signature file"),
    ],
)
def test_with_a_key_nothing_but_its_own_signature_will_do(content, said):
    with pytest.raises(WrongSignatureError, match=said):
        check_signature(content, MANIFEST, SECRET.encode())


def test_fault_61_a_manifest_that_was_edited_together_with_its_hashes_fails_at_its_signature(signed):
    assert load_release(signed).signature == "signed"
    fingerprint(signed, {CARD_FILE: (signed / CARD_FILE).read_bytes().replace(b"1200", b"1201")})
    with pytest.raises(ModelRefusedError, match="not the one that was signed") as caught:
        load_release(signed)
    assert str(signed / SIGNATURE_FILE) in caught.value.what
    assert SECRET not in str(caught.value)


def test_fault_61_nor_does_it_help_to_edit_the_manifest_alone_or_to_call_it_unsigned(signed):
    edit_manifest(signed, simulated=False)
    with pytest.raises(ModelRefusedError, match="not the one that was signed"):
        load_release(signed)
    manifest = (signed / MANIFEST_FILE).read_bytes()
    (signed / SIGNATURE_FILE).write_bytes(signature_bytes(sign(manifest, None)))
    with pytest.raises(ModelRefusedError, match="unsigned"):
        load_release(signed)
    (signed / SIGNATURE_FILE).write_bytes(signature_bytes(sign(manifest, OTHER.encode())))
    with pytest.raises(ModelRefusedError, match="signed with the key"):
        load_release(signed)


def test_where_there_is_no_key_a_signed_release_is_loaded_and_said_to_be_unverified(signed, monkeypatch):
    monkeypatch.delenv(KEY)
    assert load_release(signed).signature == "signed, not verified here"


def test_the_status_says_signed_or_unsigned_and_no_file_holds_the_key(signed, staged):
    for folder, said in ((signed, "signed"), (staged, "unsigned")):
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        status = deployment_status(read_manifest(folder / MANIFEST_FILE), files, [])
        assert status["signature"] == said
        assert (status["key_id"] is None) == (said == "unsigned")
        held = b"".join([*files.values(), json.dumps(status).encode()])
        assert SECRET.encode() not in held and SECRET.encode().hex().encode() not in held


def test_a_log_line_that_would_hold_the_key_hides_it(monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    record = logging.LogRecord("task", logging.INFO, "", 0, f"env {SECRET}", None, None)
    assert SECRET not in LogfmtFormatter().format(record)


def test_the_same_key_signs_to_the_same_bytes(signed, tmp_path):
    again = release_files(tmp_path / MODEL_FILE, tmp_path / CARD_FILE, golden_count=3)
    assert again == {path.name: path.read_bytes() for path in signed.iterdir()}


def test_fault_61_with_a_key_a_model_that_the_ledger_does_not_know_is_neither_loaded_nor_signed(tmp_path, monkeypatch):
    trained, ledger = write_trained(tmp_path), tmp_path / "ledger.jsonl"
    found = {"model_sha256": sha256_of(trained[0])}
    Ledger(ledger).append("trained", by="ci", details=found)
    assert load_trained(*trained, ledger).files
    monkeypatch.setenv(KEY, SECRET)
    with monkeypatch.context() as patched:
        patched.setattr(verify.pickle, "loads", lambda content: pytest.fail("it was unpickled"))
        for details in ({}, {"model_sha256": "0" * 64}):
            Ledger(ledger).append("trained", by="ci", details=details)
            with pytest.raises(ModelRefusedError, match=r"no line of .* says it was trained"):
                release_files(*trained, golden_count=3, ledger=ledger)
    Ledger(ledger).append("trained", by="ci", details=found)
    assert b"hmac-sha256" in release_files(*trained, golden_count=3, ledger=ledger)[SIGNATURE_FILE]
