"""The agent's life under a service manager."""
