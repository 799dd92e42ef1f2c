"""Networks, one concept a file, behind a catalog."""
