"""Connect Xero once, bind many organisations, never lose a grant."""
