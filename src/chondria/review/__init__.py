"""What to check by eye, and what was decided about it."""
