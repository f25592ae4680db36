"""Measurements of the whole service on one machine, each beside what that machine can do at all."""
