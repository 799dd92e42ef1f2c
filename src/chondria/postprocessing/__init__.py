"""From probabilities to masks and label maps."""
