"""`lookalike init`: asks for what a first run needs, checks each answer, and writes `.env`."""
