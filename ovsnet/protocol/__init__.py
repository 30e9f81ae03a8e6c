"""The wire, sans-IO and pure: bytes in, events and bytes out."""
