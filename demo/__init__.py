"""The whole product on one machine: PostgreSQL, a local Xero, the service and its page."""
