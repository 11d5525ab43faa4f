import re

from options_pricing.run.log import TaskLog, progress


def test_a_line_is_logfmt_in_the_file_and_on_standard_error(tmp_path, capsys):
    log = TaskLog("data_fetch", tmp_path / "logs" / "a.log", date="20261120")
    log.info("fetched", rows=12, share=1 / 3, note='two "words"', codes=[200, 503])
    log.close()
    line = (tmp_path / "logs" / "a.log").read_text()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO data_fetch event=fetched ", line)
    assert line.endswith('date=20261120 rows=12 share=0.333333 note="two \\"words\\"" codes="[200, 503]"\n')
    assert capsys.readouterr().err == line


def test_a_value_cannot_forge_another_line(tmp_path):
    log = TaskLog("data_fetch", tmp_path / "a.log")
    log.warn("odd", ticker="X\n2026-01-01T00:00:00.000Z ERROR data_fetch event=forged")
    log.close()
    assert len((tmp_path / "a.log").read_text().splitlines()) == 1


def test_a_log_folder_that_is_a_file_is_no_reason_to_stop(tmp_path, capsys):
    (tmp_path / "logs").write_text("in the way")
    log = TaskLog("data_fetch", tmp_path / "logs" / "a.log")
    log.info("fetched")
    said = capsys.readouterr().err
    assert "log_file_not_writable" in said
    assert "event=fetched" in said


def test_progress_is_silent_in_ci(monkeypatch, capsys):
    monkeypatch.setenv("CI", "true")
    assert list(progress(range(3), what="days")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
