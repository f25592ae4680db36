"""The sandbox's HTTP routes, one module for each of Xero's hosts and one for each helper."""
