#!/bin/sh
# Creates the database role that serves, or gives it today's password; repeating it is harmless.
# What it may do is granted by `xero-service migrate`.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv password SERVICE_PASSWORD
SELECT 'CREATE ROLE xero_service'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xero_service') \gexec
ALTER ROLE xero_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
SQL
