"""Simulation: another law, scorecard or other places laid over a past quarter's snapshot, decided by the same code.

It tells who would move and why, what that costs and what it does to errors. Nothing here writes into the home.
"""
