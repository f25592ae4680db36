"""What operators do, and the gauges that they watch."""
