"""Whole jobs that leave a run folder."""
