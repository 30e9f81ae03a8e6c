"""One lap each: a fresh process that does one kind of work and prints what it cost as one line of JSON.

Apart from the process that starts it, so that no lap inherits another's heap, caches or event loop.
"""
