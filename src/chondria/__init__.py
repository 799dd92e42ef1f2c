"""Find, outline and measure every mitochondrion in electron microscopy."""
