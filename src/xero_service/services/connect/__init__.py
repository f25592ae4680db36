"""Connecting: consent at Xero, the code exchange, and the choice of tenants."""
