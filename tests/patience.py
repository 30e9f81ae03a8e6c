"""How long a test waits for what must come."""

PATIENCE = 300.0
"""Seconds. It decides nothing but when a hang is told, with the story of who waits for what; the guard of pytest ends
the test in any case."""
