#!/bin/sh
# Creates the database role of the service, or sets its password if it exists; can be repeated.
# `xero-service migrate` grants its privileges.
set -eu

# With the owner's password the service could connect as the owner and change the audit log.
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
