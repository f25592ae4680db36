"""PostgreSQL: tables, and one repository per table. Values in, values out."""
