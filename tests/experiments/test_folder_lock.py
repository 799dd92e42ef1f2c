"""One process at a time in a folder, and none that was killed keeps others out."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chondria.errors import InputNotFoundError, OutputExistsError
from chondria.experiments.folder_lock import LOCK, sole_use
from chondria.experiments.run_folder import open_same_job, reports_in

HOLD = """
import sys, time
from chondria.experiments.folder_lock import sole_use
with sole_use(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
# A job that writes its number into a file and goes on for a minute.
KEEP_ON = """
import os, sys, time
from functools import partial
from chondria.experiments.processes import run_in_processes

def job(path, post):
    with open(path, "w") as stream:
        stream.write(str(os.getpid()))
    os.rename(path, path + ".whole")
    time.sleep(60)

if __name__ == "__main__":
    run_in_processes({"one": partial(job, sys.argv[1])}, 1, print)
"""


def test_a_folder_is_made_and_goes_again_if_it_stays_empty(tmp_path: Path) -> None:
    with sole_use(tmp_path / "a" / "b") as folder:
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert not any(tmp_path.iterdir())
    with sole_use(tmp_path / "a") as folder:
        (folder / "file").touch()
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputExistsError, match="is a file"), sole_use(tmp_path / "file"):
        pass
    with pytest.raises(InputNotFoundError, match="cannot be made"), sole_use("/proc/nowhere"):
        pass


def test_another_process_is_kept_out_until_it_is_killed(
    run_cli, tmp_path: Path, monkeypatch
) -> None:
    folder = tmp_path / "experiment"
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: x\nruns: 1\nmetrics: [iou]\ntest: {images: i, masks: m}\n"
        "recipe: {data: {sets: [{name: a, images: i, masks: m}]}}\n"
        "rows: [{name: one}]\nsteps: [{name: plain}]\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == "held\n"
        code, _, err = run_cli("experiment", recipe, "-o", folder, "--smoke")
        assert code == 2
        assert "Another process is at work in" in err
        assert err.count("\n") <= 3
        assert [path.name for path in folder.iterdir()] == [LOCK]
        holder.kill()
        holder.wait()
    with open_same_job(folder, "experiment", {}) as target:
        assert (target / "experiment.json").exists()
    assert [path.name for path in folder.iterdir()] == ["experiment.json"]


def test_jobs_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script, number = tmp_path / "jobs.py", tmp_path / "number"
    script.write_text(KEEP_ON)
    starter = subprocess.Popen([sys.executable, script, number])
    whole = Path(f"{number}.whole")
    _wait_for(whole.exists, 60)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    child = int(whole.read_text())
    _wait_for(lambda: not _runs(child), 20)


def test_pages_of_runs_are_found_in_the_order_of_their_seeds(tmp_path: Path) -> None:
    for run in ("b/seed-10", "b/seed-2", "a/deep/seed-0"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "report.html").touch()
    (tmp_path / "report.html").touch()
    expected = [f"{run}/report.html" for run in ("a/deep/seed-0", "b/seed-2", "b/seed-10")]
    assert reports_in(tmp_path) == expected


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # What nobody has waited for yet runs no more.
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().split()[2] != "Z"


def _wait_for(what, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)
