"""Knobs of OVS and OVN as things that are known: catalogue, lint, plan, apply, revert, advise.

All is pure but ``gather`` (asks the daemons) and ``apply`` (writes).
"""
