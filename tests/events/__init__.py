"""Events for other systems: which change writes which, polling, delivery."""
