"""`python -m xero_service.cli` is `xero-service`."""

from xero_service.cli import main

main()
