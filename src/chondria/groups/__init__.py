"""Conditions compared, with mitochondria nested in images, cells and animals."""
