"""Knobs of OVS and OVN as things that are known: catalogue, lint, plan, apply, revert, advise.

All is pure but ``sessions`` (reads), ``apply`` (writes) and ``reconciler`` (the agent's loop).
"""
