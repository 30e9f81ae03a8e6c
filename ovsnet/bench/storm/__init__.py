"""Simulated chassis that lose a southbound and come back.

Coordinator ── Pool ── Child ══ stdin, stdout ══ Worker ── ChassisConnection ─┬─ Chassis: when to do what
    │                                            (a process)   (sockets)      └─ Conversation: what to say
    └── Target: injects the fault, heals it
"""
