"""Rulebook: the law as dated YAML with a source per value, the calendar, and the arithmetic of places.

Nothing here reads a family, a clock or dice; the only files read are the YAML beside the code, and an overlay
the caller names.
"""
