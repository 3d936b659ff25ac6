"""The rooms of the pipeline, one folder per stage: intake, registry, welfare, decision, publication.

A room holds pure modules and one `asset.py`, its door to Dagster; a room may use the pure modules of the rooms
before it, never their door.
"""
