"""Rules that a field's value must pass, one file each."""
