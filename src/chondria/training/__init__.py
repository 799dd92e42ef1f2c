"""Learning: losses, the loop, checkpoints."""
