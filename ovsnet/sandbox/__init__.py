"""A real Open vSwitch and OVN node in one directory: for the demo, the tests and the benchmarks.

``from ovsnet.sandbox.node import Sandbox``.
"""
