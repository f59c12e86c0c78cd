"""All that is kept of a user, sent to them as ZIP files."""
