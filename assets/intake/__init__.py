"""Intake: files in the landing zone become accepted rows, rejected rows with reasons, and batch manifests.

No row disappears: read = accepted + rejected. What the accepted statements mean together is the registry's.
"""
