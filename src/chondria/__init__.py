"""Find, outline and measure every mitochondrion in electron microscopy."""

from importlib.metadata import version

__version__ = version("chondria")
