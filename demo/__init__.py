"""Runs the whole product on one machine: PostgreSQL, the sandbox, the service and its page."""
