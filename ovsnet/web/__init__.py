"""What the agent says over HTTP."""
