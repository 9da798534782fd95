"""`python -m commands` is `tidings`."""

from commands import main

main()
