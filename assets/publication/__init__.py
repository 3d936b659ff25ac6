"""Publication: an approved draft becomes an immutable revision, and the pointer moves to it.

Readers never see half a quarter. What is decided is decided before; public means lists and regional tables only.
"""
