"""A soak test: photos keep coming to `lookalike up` while all goes wrong that can.

One thing after the other, in an order that the seed chooses: services are killed, held still for a
moment and, now and then, for good; the disk is full; the clock is set back by an hour or on by
nine days; Telegram's answers are cut, and it refuses and delays. Meanwhile one user sends what
costs much, by the dozen.
"""
