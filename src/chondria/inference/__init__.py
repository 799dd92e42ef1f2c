"""Using a network: tiles, flips and rotations, whole volumes."""
