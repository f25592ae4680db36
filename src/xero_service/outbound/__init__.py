"""What the service sends to hosts other than Xero and the sign-in provider."""
