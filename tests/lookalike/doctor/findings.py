"""What the checks of a service find, as the doctor is told."""

from collections.abc import Mapping, Sequence

from lookalike.checks import Mark
from lookalike.cli import doctor

Environment = Mapping[str, str]
Failure = tuple[str, str, str]
"""Check, summary, remedy."""


def failures(
    environment: Environment, service: str, only: str = "", **settings: str
) -> list[Failure]:
    """The failed findings of a service."""
    arguments = ["--only", only] if only else []
    found = doctor.findings(service, {**environment, **settings}, arguments)
    assert found
    assert all(not finding.summary.count("\n") for finding in found)
    return [
        (finding.check, finding.summary, finding.remedy)
        for finding in found
        if finding.mark is Mark.FAILED
    ]


def one(found: Sequence[Failure], check: str, part: str) -> str:
    """The remedy of the only failure, which must be this one."""
    assert len(found) == 1, found
    assert found[0][0] == check
    assert part in found[0][1], found[0][1]
    assert found[0][1].endswith(".")
    return found[0][2]
