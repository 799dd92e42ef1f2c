"""The benchmarks run, and what they compare stays within bounds: ratios, never seconds.

The bounds leave room for a noisy machine; the figures themselves are in benchmarks/README.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.speed


def record_of(name: str, *options: str) -> dict[str, Any]:
    """Run a benchmark and read its last line."""
    command = [sys.executable, FOLDER / f"{name}.py", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_segmentation_takes_little_more_than_its_network() -> None:
    record = record_of("predict_overhead", "--slices", "8", "--repeats", "3", "--backend", "torch")
    assert record["slices"] == 8
    assert record["ratio"]["literal"] < 1.15
    assert record["ratio"]["slices' grid"] < 1.5


def test_training_sustains_most_of_the_bare_rate() -> None:
    options = ("--filters", "16", "--patch", "192", "--steps", "4", "--repeats", "3")
    record = record_of("training_overhead", *options)
    assert record["ratio"] > 0.75
    assert record["over_eager"] > 1.2


def test_prediction_is_far_faster_than_plain_pytorch() -> None:
    pytest.importorskip("openvino")
    options = ("--filters", "16", "--slices", "2", "--repeats", "3")
    record = record_of("predict_speed", *options)
    over_eager = record["over_eager"]
    assert over_eager["predict torch fp32"] > 1.2
    # Eight passes: OpenVINO compiles a network first, which two slices alone do not repay.
    assert over_eager["d4"] > 2.0


def test_blending_agrees_with_the_published_loop_and_is_faster() -> None:
    options = ("--filters", "16", "--shape", "128,128", "--repeats", "1")
    record = record_of("blending", *options)
    assert record["largest_difference"]["spline torch fp32"] < 1e-4
    times = record["times_loop"]
    # fp32 alone gains little, 1.20 to 1.29; bf16 twice, where the processor has it.
    assert max(times["spline torch fp32"], times["spline torch bf16"]) > 1.2
    assert times["d4"] > times["spline torch fp32"]


def test_the_cost_of_prediction_is_a_line() -> None:
    options = ("--filters", "4", "--largest", "2048", "--most-slices", "10", "--megapixels", "4")
    record = record_of("linear_cost", *options, "--repeats", "3")
    assert record["s_per_megapixel"] > 0
    assert record["spread"] < 1.0


def test_a_command_starts_soon() -> None:
    median = record_of("startup", "--repeats", "2")["median_s"]
    assert 0 < median["help"] < median["segment"]


def test_the_roofline_is_above_what_prediction_reaches() -> None:
    pytest.importorskip("openvino")
    bound = record_of("roofline", "--filters", "16", "--repeats", "3")["bound_megapixels_per_s"]
    options = ("--filters", "16", "--slices", "2", "--repeats", "1")
    record = record_of("predict_speed", *options)
    seconds = [s for name, s in record["median_s"].items() if name.startswith("predict torch")]
    assert 0 < record["megapixels"] / min(seconds) < 1.3 * bound


def test_peers_that_are_absent_are_skipped() -> None:
    record = record_of("peers", "--filters", "4", "--repeats", "1")
    seconds = record["median_s"]
    assert {"chondria", "chondria d4"} <= set(seconds)
    assert "BiaPy" not in seconds
    # Eight views cost more than one.
    assert seconds["chondria d4"] > seconds["chondria"] > 0


def test_false_positives_are_counted_by_every_way_of_comparing() -> None:
    options = ("--repeats", "20", "--seeds", "1", "--mixed", "2", "--bootstrap", "2")
    record = record_of("false_positives", *options)
    rates = record["5 + 5 animals, 3 cells, 20 objects"]
    assert rates["default"]["rejected"] < rates["t-test over objects"]["rejected"]
    assert {"default", "mixed", "mixed, Wald z", "bootstrap"} <= set(rates)
