"""Ground floor: what every table, code, quarter and message is called and may hold.

Here live the table contracts (:data:`schemas.tables.TABLES`), the closed vocabularies, identifiers, region
codes, quarters, the questionnaire, the reference tables and the message catalogue. Nothing here reads a
quarter's data, knows a rule of eligibility, or imports a higher floor.
"""
