"""Legacy formats in, one file each."""
