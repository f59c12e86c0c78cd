"""The bot's HTTP front: health checks today; a webhook, metrics and pages are to come."""
