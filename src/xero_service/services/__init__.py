"""Use cases: each method is one, and owns its transactions in the open."""
