"""Benchmarks of the whole service on one machine, each with a baseline from the same run."""
