"""How far to trust what was found: calibration, objects, and what errors do to counts."""
