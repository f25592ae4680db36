"""The command `xero-service`, and `python -m xero_service`."""

from xero_service.cli import run


def main() -> None:
    """Run the command."""
    run()


if __name__ == "__main__":
    main()
