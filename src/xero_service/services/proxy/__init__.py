"""The API proxy: a service's call sent to Xero within the tenant's rate limits."""
