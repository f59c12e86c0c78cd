"""How updates come in: by polling, or by a webhook."""
