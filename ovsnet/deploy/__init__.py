"""Manifests, units, alerts and tables, written from declarations."""
