"""What an audit says, as a value and as a page."""
