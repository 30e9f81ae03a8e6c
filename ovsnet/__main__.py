"""``python -m ovsnet``, for where the program ``ovsnet`` is not in the PATH."""

from ovsnet.cli import main

if __name__ == "__main__":
    main()
