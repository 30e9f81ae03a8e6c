"""From questions to a verdict: checks, causes, diagnosis, the stages of a start."""
