"""Events for other systems: reading them, and delivering them to webhook endpoints."""
