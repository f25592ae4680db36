"""Xero, as this service speaks to it; `transport` alone knows the HTTP library."""
