"""A local Xero and a local session issuer, for demo, tests and benchmarks."""
