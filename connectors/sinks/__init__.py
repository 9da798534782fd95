"""Systems out, one file each."""
