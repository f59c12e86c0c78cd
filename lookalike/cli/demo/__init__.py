"""`lookalike demo`: all services on this machine, with no token, key or download."""
