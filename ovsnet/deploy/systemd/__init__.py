"""The agent as a service of systemd: unit files that follow from the declarations, put in place and taken out."""
