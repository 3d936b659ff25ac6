"""The roof: Dagster definitions, jobs and schedule, the I/O manager, and the command line. No rule lives here."""
