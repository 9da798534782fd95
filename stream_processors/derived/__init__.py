"""The derived processors: one file each, which holds a `PROCESSOR`. The folder is the list."""
