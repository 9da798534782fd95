"""Systems in and out, one file each."""
