"""The command line: thin, instant to start."""
