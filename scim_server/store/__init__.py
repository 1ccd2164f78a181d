"""All SQL: one code path for SQLite and PostgreSQL. The store never judges and never commits."""
