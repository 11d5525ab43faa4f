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
        (["sync", "--folder", "{folder}"], 65),
        (["serve", "--release", "{folder}/none"], 66),
        (["serve", "--app", "--release", "{folder}/none"], 66),
    ],
)
def test_what_is_not_there_is_said_in_a_few_lines(tmp_path, capsys, command, code):
    assert main([part.format(folder=tmp_path) for part in command]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert 1 <= len(said.err.strip().splitlines()) <= 5


def test_a_wrong_command_line_ends_with_2():
    with pytest.raises(SystemExit) as ended:
        main(["srve"])
    assert ended.value.code == 2
