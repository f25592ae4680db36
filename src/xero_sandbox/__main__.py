"""Runs the command as `python -m xero_sandbox`."""

from xero_sandbox.cli import main

main()
