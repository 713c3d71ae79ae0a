"""The only place with SQL: tables, migrations, the writer and the readers."""
