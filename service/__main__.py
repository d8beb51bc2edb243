"""`python -m service` is `menshen`."""

from service.cli import main

if __name__ == "__main__":
    main()
