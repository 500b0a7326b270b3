"""Stored values to what a viewer shows."""
