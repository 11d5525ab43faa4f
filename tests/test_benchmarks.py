"""The frame of `make bench`: which files are subjects, who is the best peer, and what the page says."""

import ast
import importlib
import sys

import pytest


@pytest.fixture(scope="module")
def bench(root):
    sys.path.insert(0, str(root / "benchmarks"))
    yield importlib.import_module("run"), importlib.import_module("frame")
    sys.path.remove(str(root / "benchmarks"))
    for name in ("run", "frame"):
        del sys.modules[name]


def test_every_subject_has_a_title_a_note_and_rows(bench, root):
    run, _ = bench
    assert {"european_vol", "european_price", "spx_day", "tables"} <= set(run.subjects())
    assert not {"run", "frame", "made_options", "workflow"} & set(run.subjects())
    for subject in run.subjects():
        tree = ast.parse((root / "benchmarks" / f"{subject}.py").read_text(encoding="utf-8"))
        targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
        named = {target.id for target in targets if isinstance(target, ast.Name)}
        assert {"TITLE", "NOTE"} <= named, subject


def test_a_broken_peer_is_listed_but_is_not_the_best(bench):
    run, frame = bench
    results = [
        frame.Result("ours", 1e-7, 2e-7, "1e-15"),
        frame.Result("wrong", 1e-8, 1e-8, "0.5", broken="half missing"),
        frame.Result("right", 4e-7, 5e-7, "1e-14"),
    ]
    row = frame.Row("vols", "options", results)
    assert row.best_peer.name == "right"
    page = run.section("Vols", "What is done.", [row])
    assert (
        "| vols | 10.0 M options/s | 5.00 M options/s | right | 2.50 M options/s | 2.00 M options/s | **4.00** |"
        in page
    )
    assert "| vols | wrong | 100 M options/s | 100 M options/s | 0.10 | 0.5 (half missing) |" in page


def test_without_a_peer_there_is_no_ratio(bench):
    run, frame = bench
    row = frame.Row("a day", "runs", [frame.Result("ours", 1.25, 2.5, memory=0.25)])
    assert row.best_peer is None
    assert run.line(row) == ["a day", "1.25 CPU-s, 0.25 GB", "2.50 s", "–", "–", "–", "–", "", "–"]


def test_contenders_run_in_turn_after_a_first_time_that_is_judged(bench):
    _, frame = bench
    order = []
    pair = [frame.Contender(name, lambda name=name: order.append(name), 10, lambda _: "fine") for name in "ab"]
    row = frame.compare("nothing", "things", pair, rounds=3)
    assert order == ["a", "b"] * 4
    assert [result.error for result in row.results] == ["fine", "fine"] and row.ours.cpu >= 0


@pytest.mark.parametrize(("seconds", "said"), [(1e-7, "10.0 M x/s"), (2.5e-4, "4.00 k x/s"), (2.0, "0.500 x/s")])
def test_rates_have_three_figures(bench, seconds, said):
    assert bench[0].rate(seconds, "x") == said
