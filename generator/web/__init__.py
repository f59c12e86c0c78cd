"""The generator's HTTP: routes, negotiation, XML documents, and problems."""
