"""Time commands from the shell to the end, each in a fresh process.

*help* is `chondria --help`; *segment* is `chondria segment` on one image of 512 x 512 px, with all
imports, the model and all outputs. Prints medians, then one line of JSON.

    python benchmarks/startup.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import interleaved, medians, print_record

from chondria.data.phantom import make_phantom
from chondria.inference.compute import choose_compute
from chondria.io import save_volume

__all__ = ["main"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    command = shutil.which("chondria", path=str(Path(sys.executable).parent)) or "chondria"
    with tempfile.TemporaryDirectory() as name:
        image, out = Path(name) / "image.tif", Path(name) / "out"
        save_volume(make_phantom((1, 512, 512), (8.0, 8.0, 8.0), seed=7).image, image)

        def segment() -> None:
            subprocess.run([command, "segment", image, "-o", out], check=True, capture_output=True)
            shutil.rmtree(out)

        def show_help() -> None:
            subprocess.run([command, "--help"], check=True, capture_output=True)

        seconds = interleaved({"help": show_help, "segment": segment}, options.repeats)
    for job, median in medians(seconds).items():
        low, high = min(seconds[job]), max(seconds[job])
        print(f"{job:>8}: {median:.3f} s (from {low:.3f} to {high:.3f})")
    print_record(str(choose_compute()), vars(options), seconds)


if __name__ == "__main__":
    main()
