#!/bin/sh
# Creates the database role that serves, or gives it today's password; repeating it is harmless.
# What it may do is granted by `xero-service migrate`.
set -eu

# With the owner's password the serving role could connect as the owner and change the audit log.
if [ "$SERVICE_PASSWORD" = "${PGPASSWORD:-}" ]; then
    echo "POSTGRES_SERVICE_PASSWORD must differ from POSTGRES_PASSWORD: set two passwords in .env." >&2
    exit 1
fi

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv password SERVICE_PASSWORD
SELECT 'CREATE ROLE xero_service'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xero_service') \gexec
ALTER ROLE xero_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
SQL
