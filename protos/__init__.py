"""The contracts between the services: dbservice's .proto with its stubs, the generator's XSD."""

from importlib.resources import files

GENERATOR_NAMESPACE = "urn:lookalike:generator:1"
"""The XML namespace of the generator's documents."""

PROBLEM_NAMESPACE = "urn:ietf:rfc:7807"
"""The XML namespace of problem details (RFC 9457, appendix B)."""


def generator_schema() -> bytes:
    """The XSD of the generator's documents."""
    return files("protos").joinpath("generator.xsd").read_bytes()
