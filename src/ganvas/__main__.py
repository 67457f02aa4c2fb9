"""`python -m ganvas` is the command `ganvas`."""

from ganvas.cli import main

if __name__ == "__main__":
    main()
