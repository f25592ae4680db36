"""HTTP: routers parse, make one call, and shape the answer; `problems` says no."""
