"""The resident agent: schedule, state, and the document about the node."""
