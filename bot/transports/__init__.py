"""How updates come in: by polling today, by a webhook later."""
