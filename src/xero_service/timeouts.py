"""Timeouts, lifetimes and backoff limits that an operator may ask about, each with its reason.

Those that an operator sets are in `settings.model`; those of a caller's HTTP connection are in
`api.connection_limits`, of a slot in `services.proxy.rate_limiter`, of upkeep's rounds in
`services.upkeep`.
"""

from datetime import timedelta
from typing import Final

# The database.
CONNECT_SECONDS: Final = 5  # for each host, unless the URL sets connect_timeout
POOL_WAIT_SECONDS: Final = 0.8  # for a connection, so that a caller gets a 503 within 1 s (R14)
STATEMENT_SECONDS: Final = 10  # the longest that a statement of a request or of upkeep may run
MIGRATION_LOCK_WAIT_SECONDS: Final = 600.0  # for another migration, which may build an index

# Connecting.
ATTEMPT_LIFETIME: Final = timedelta(minutes=10)  # from the start to the callback, login included
EXCHANGE_LEASE_WAIT_SECONDS: Final = 15.0  # exchanges run one at a time, over all replicas
BROWSER_WAIT_SECONDS: Final = 25.0  # then the browser shows a failure; the exchange continues
RECONNECT_WAIT_SECONDS: Final = 10.0  # to select a binding's tenant again, after the exchange
FIRST_CALLBACK_WAIT_SECONDS: Final = 40.0  # a repeated callback outlasts both of the waits above
SELECTION_LEASE_WAIT_SECONDS: Final = 10.0  # to cancel a pending disconnect of the chosen tenant

# Token sets.
REFRESH_WAIT_SECONDS: Final = 25.0  # a caller without a usable token waits for the refresh
SHORT_REFRESH_WAIT_SECONDS: Final = 2.0  # a caller whose token still works waits; then gets that
CHECK_WAIT_SECONDS: Final = 15.0  # a caller waits for the check of a grant; the check goes on
AUDIT_WAIT_SECONDS: Final = 5.0  # no token is issued before its audit event is committed
LATE_ANSWER_SECONDS: Final = 300.0  # Xero's answer to a token request may be a set's only copy
SAVE_FOR_SECONDS: Final = 300.0  # a set that the database cannot store yet is retried from memory
LONGEST_REFRESH_BACKOFF: Final = timedelta(seconds=40)  # with upkeep's interval: under 60 s (R12)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)  # the most that Xero's Retry-After can delay one

# Disconnecting.
DISCONNECT_WAIT_SECONDS: Final = 5.0  # for Xero's confirmation; then "pending", upkeep retries
CLEANUP_LEASE_WAIT_SECONDS: Final = 35.0  # longer than a lease of 30 s, whose holder may be dead
CLEANUP_EXCHANGE_LEASE_WAIT_SECONDS: Final = 5.0  # short, because the grant's lease is held
LONGEST_CLEANUP_BACKOFF_SECONDS: Final = 300.0

# Webhooks.
WEBHOOK_SECONDS: Final = 15.0  # one attempt, from connecting to the end of the answer

# Mail.
MAIL_SECONDS: Final = 20.0  # one mail, from connecting to its acceptance; within DRAIN_SECONDS

# The API proxy.
BODY_SECONDS: Final = 30.0  # for the part of a caller's body that is read before the call is sent
SILENCE_SECONDS: Final = 60.0  # the longest pause of Xero's, before and within its response
DECISION_SECONDS: Final = 0.25  # an authorization decision is reused; then it is read again
COOL_DOWN_UNKNOWN: Final = timedelta(seconds=2)  # after a 429 without Retry-After
APP_COOL_DOWN_UNKNOWN: Final = timedelta(seconds=10)  # the same for the app's limit: all tenants
COOL_DOWN_AT_MOST: Final = timedelta(days=1)  # Xero's longest limit; a longer one is an error

# Signing keys of an issuer.
KEYS_MAX_AGE_SECONDS: Final = 300.0  # then they are fetched again: a withdrawn key stops working
KEYS_COOLDOWN_SECONDS: Final = 30.0  # between two fetches, however many unknown key ids come
KEYS_RENEWAL_WAIT_SECONDS: Final = 1.0  # then the known keys serve while the fetch continues
ISSUER_SECONDS: Final = 10.0  # one fetch from the sign-in provider; Xero's has a setting

# The server. A stop takes up to 50 s: DRAIN_NOTICE_SECONDS (5), open requests, background work.
OPEN_REQUESTS_SECONDS: Final = 20
DRAIN_SECONDS: Final = 25.0
KEEP_ALIVE_SECONDS: Final = (
    75  # longer than a load balancer's 60, so that the balancer closes first
)
