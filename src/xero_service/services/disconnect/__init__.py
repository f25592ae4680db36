"""Disconnecting a binding here, and its remote cleanup at Xero."""
