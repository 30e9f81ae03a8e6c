"""What ovsnet costs, beside what people use today, measured in one run on one machine.

``python -m bench`` runs every question and prints one table; ``python -m bench.openflow_echo`` runs one alone.

Method: every lap is a fresh process. Ours and the peer's take turns, so that a machine that slows down slows both; the
ratio is the median of the rounds' ratios, not the ratio of two bests. A rate on shared cores swings by a factor of
three, CPU time per operation hardly at all: where both are in the table, believe the second.
"""
