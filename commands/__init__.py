"""The tidings command, one verb a file."""
