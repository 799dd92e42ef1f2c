"""Freed memory is kept where the C library can, and nothing breaks where it cannot."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from chondria.allocation import retain_freed_memory

PROBE = """
from chondria.allocation import retain_freed_memory
print(retain_freed_memory(), sum(bytearray(b"ab") * 3))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_glibc_takes_the_settings() -> None:
    # In a process of its own: the setting cannot be taken back.
    found = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True
    ).stdout
    assert found.split()[1] == str(3 * (97 + 98))
    assert found.split()[0] == str(hasattr(ctypes.CDLL(None), "mallopt"))


def test_other_systems_are_left_alone(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert retain_freed_memory() is False


def test_a_c_library_without_mallopt_is_left_alone(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert retain_freed_memory() is False
