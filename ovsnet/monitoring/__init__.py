"""What Prometheus is told: alert rules that follow from the diagnoses."""
