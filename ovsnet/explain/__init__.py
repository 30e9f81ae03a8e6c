"""What happened, from logs and archives: the verdict for yesterday, with the same codes and words as live."""
