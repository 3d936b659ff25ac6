"""Linkage: how probably two records are one person, learned without labels and weighed in integers.

Which pairs are then one person in the registry is `identity`'s; nothing here knows families or quarters.
"""
