"""Registry: one record per family and person, every attribute with its source and date.

One person, one family; BPS beats agent beats self-report. Who is eligible is not asked here.
"""
