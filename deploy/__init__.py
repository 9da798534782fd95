"""How Tidings is run."""
