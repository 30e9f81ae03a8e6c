"""One archive of what a node says of itself, for a bug report: made, with names replaced on request, and read back."""
