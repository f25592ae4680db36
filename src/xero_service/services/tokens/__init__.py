"""Token sets: refreshing them, and issuing access tokens to internal services."""
