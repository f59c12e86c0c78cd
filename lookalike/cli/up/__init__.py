"""`lookalike up`: the bot and the services that it needs, under one supervisor."""
