"""`python -m gatehouse` is the `gatehouse` command."""

from gatehouse.command import main

main()
