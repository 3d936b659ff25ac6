"""Decision: law, score and places meet; every filter's outcome, every status with its reasons, every movement's cause.

All filters are evaluated, recipients never exceed places, poorest first, one total order. Nothing is published here.
"""
