"""The local stack, from packages."""
