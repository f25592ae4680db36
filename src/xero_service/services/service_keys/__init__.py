"""Service keys: their life, and what each may use."""
