"""Comparing bindings with the connections that Xero lists."""
