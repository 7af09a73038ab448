"""`python -m proxy`: the command line, for where the script `sunset` is not on the path."""

from proxy.cli.app import main

if __name__ == "__main__":
    main()
