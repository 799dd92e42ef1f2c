"""Jobs in processes of their own: results, messages, failures."""

import importlib
import os
import sys
from functools import partial
from types import ModuleType

import pytest
import torch

from chondria.errors import SettingsError
from chondria.experiments.processes import run_here, run_in_processes

# A process can import what lies on the path, which a test's own module does not.
JOBS = """
import os
import torch
from chondria.errors import SettingsError

def report(number, post):
    for part in range(number):
        post(("part", part))
    return number, os.getpid(), torch.get_num_threads()

def fail(post):
    post("about to fail")
    raise SettingsError("Found nothing; give something.")
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch) -> ModuleType:
    (tmp_path / "jobs_of_a_test.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "jobs_of_a_test", raising=False)
    return importlib.import_module("jobs_of_a_test")


def test_results_and_messages_come_back_by_name(jobs) -> None:
    heard: list[tuple[str, object]] = []
    named = {f"job {number}": partial(jobs.report, number) for number in (3, 0, 2)}
    results = run_in_processes(named, 2, lambda name, message: heard.append((name, message)))
    assert {name: number for name, (number, _, _) in results.items()} == {
        "job 3": 3,
        "job 0": 0,
        "job 2": 2,
    }
    processes = {process for _, process, _ in results.values()}
    assert len(processes) == 3
    assert os.getpid() not in processes
    for name, number in (("job 3", 3), ("job 2", 2), ("job 0", 0)):
        assert [m for n, m in heard if n == name] == [("part", part) for part in range(number)]


def test_jobs_share_the_cores(jobs) -> None:
    here = torch.get_num_threads()
    results = run_in_processes({"alone": partial(jobs.report, 0)}, 1, print)
    assert results["alone"][2] == here
    results = run_in_processes({"beside": partial(jobs.report, 0)}, 2 * here, print)
    assert results["beside"][2] == 1


def test_a_failure_is_raised_here_and_ends_the_rest(jobs) -> None:
    heard: list[tuple[str, object]] = []
    named = {"fails": jobs.fail} | {f"job {n}": partial(jobs.report, 1) for n in range(3)}
    with pytest.raises(SettingsError, match=r"^Found nothing; give something\.$"):
        run_in_processes(named, 1, lambda name, message: heard.append((name, message)))
    assert heard[0] == ("fails", "about to fail")
    assert "job 2" not in dict(heard)


def test_jobs_run_here_in_turn_and_are_heard(jobs) -> None:
    heard = []
    two = {"a": partial(jobs.report, 2), "b": partial(jobs.report, 1)}
    results = run_here(two, lambda name, message: heard.append((name, message)))
    assert [result[:2] for result in results.values()] == [(2, os.getpid()), (1, os.getpid())]
    assert heard == [("a", ("part", 0)), ("a", ("part", 1)), ("b", ("part", 0))]
    with pytest.raises(SettingsError):
        run_here({"a": jobs.fail}, lambda *_: None)
