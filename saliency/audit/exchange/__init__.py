"""Exchange and removal of zones, and their effect on scores."""
