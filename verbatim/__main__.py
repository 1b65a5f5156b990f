"""The command, as ``python -m verbatim``."""

from verbatim.cli import main

if __name__ == "__main__":
    main()
