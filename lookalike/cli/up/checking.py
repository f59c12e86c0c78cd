"""What is checked before anything starts: what a service would say of it minutes later."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

from lookalike.checks import Finding, Mark
from lookalike.cli.doctor import SERVICES, findings
from lookalike.cli.spelling import misspelt
from lookalike.cli.up import watchdog
from lookalike.errors import StartError


def check() -> list[str]:
    """Runs the checks of all services that a start depends on.

    Returns:
        Sentences on what does not keep anybody from starting, such as a network that is away.

    Raises:
        StartError: somebody must change something; all that is wrong is told.
    """
    with ThreadPoolExecutor() as threads:
        jobs = [threads.submit(findings, name, os.environ, ["--start"]) for name in SERVICES]
        while wait(jobs, watchdog.SECONDS).not_done:  # systemd waits for less than they may take
            watchdog.tell(os.environ.get(watchdog.SOCKET, ""))
    found = [finding for job in jobs for finding in job.result() if finding.mark is not Mark.OK]
    hints = misspelt()
    if wrong := list(_sentences(each for each in found if not _may_wait(each))):
        wrong += hints  # which may be why
        title = f"{len(wrong)} things have to be put right first:"
        raise StartError(wrong[0] if len(wrong) == 1 else "\n  ".join([title, *wrong]))
    return [*hints, *_sentences(found)]


def _may_wait(finding: Finding) -> bool:
    return finding.passes or finding.mark is Mark.WARNING


def _sentences(found: Iterable[Finding]) -> Iterator[str]:
    """Each finding once: services share settings."""
    told = set()
    for finding in found:
        remedy = finding.remedy if finding.check != "settings" else ""  # the sentence is enough
        sentence = f"{finding.summary} {remedy}".rstrip()
        if sentence not in told:
            told.add(sentence)
            yield sentence
