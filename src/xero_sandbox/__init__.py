"""A local stand-in for Xero and for a session issuer, for the demo, tests and benchmarks."""
