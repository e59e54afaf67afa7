"""``python -m incidentml`` is the command ``incidentml``."""

from incidentml.cli import main

if __name__ == "__main__":
    main()
