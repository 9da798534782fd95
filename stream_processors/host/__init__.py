"""The host of the derived processors: what one declares, what it is given, how it is run."""
