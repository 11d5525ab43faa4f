"""What a person types beside the workflow."""

import pytest

from options_pricing.cli import main
from options_pricing.run.files import write_json


def staged(folder, passed=True):
    checks = [{"name": "api_ready", "passed": passed, "detail": "status 200"}]
    status = {"release_id": "0123456789ab", "status": "staged", "live": False, "simulated": True, "as_of": "20261120"}
    status |= {"model": "boosted", "model_sha256": "f" * 64, "checks": checks, "files": {}}
    write_json(folder / "reports/deployment_status.json", status)


def test_status_says_what_is_staged_and_on_which_market(tmp_path, capsys):
    staged(tmp_path)
    assert main(["status", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for part in ("0123456789ab", "not live", "SIMULATED", "boosted", "1 of 1 passed"):
        assert part in said


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["status", "--folder", "{folder}"], 66),
        (["sync", "--folder", "{folder}"], 66),
        (["serve", "--release", "{folder}/none"], 66),
        (["serve", "--app", "--release", "{folder}/none"], 66),
    ],
)
def test_what_is_not_there_is_said_in_a_few_lines(tmp_path, capsys, command, code):
    assert main([part.format(folder=tmp_path) for part in command]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert 1 <= len(said.err.strip().splitlines()) <= 5


@pytest.mark.parametrize("command", ["status", "sync", "serve", "serve --app"])
def test_in_a_folder_of_the_checkout_the_way_out_is_named(tmp_path, monkeypatch, capsys, command):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()
    (tmp_path / "docs/deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "docs/deep")
    assert main(command.split()) == 66
    assert capsys.readouterr().err.endswith(f"fix: go to the checkout: cd {tmp_path}\n")


def test_a_checkout_without_a_release_is_told_to_make_one(tmp_path, capsys):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()
    assert main(["status", "--folder", str(tmp_path)]) == 66
    assert "`snakemake --cores 4`" in capsys.readouterr().err


def test_the_help_of_serve_says_what_each_option_is(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "(default: releases)" in said and "127.0.0.1" in said and "without a password" in said


def test_a_wrong_command_line_ends_with_2():
    with pytest.raises(SystemExit) as ended:
        main(["srve"])
    assert ended.value.code == 2
