"""Xero, as this service speaks to it: by httpx, over a transport of ours on aiohttp."""
