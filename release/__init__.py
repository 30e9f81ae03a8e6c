"""What a release is made of: ``python -m release`` writes it to ``dist/``. Nothing of this is in the wheel."""
