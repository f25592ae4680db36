"""The HTTP routes: a module per host of Xero, and those of the session issuer and control."""
