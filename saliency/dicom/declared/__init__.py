"""Zones that the header tells of."""
