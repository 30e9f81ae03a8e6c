"""Many simulated chassis that lose their southbound database at the same moment, and all come back."""
