"""How far several jobs are, told as of one."""

from collections.abc import Collection

from bot.clients.documents import Job

_CELLS = 1000


def overall(jobs: Collection[Job], ended: int = 0) -> Job | None:
    """A job that is as far as all of them together; None: none of them is queued or runs.

    Args:
        jobs: as they were last seen.
        ended: how many more there were, of which there is nothing to see any more.
    """
    open_jobs = [job for job in jobs if job.state in {"queued", "running"}]
    if not open_jobs:
        return None
    ended += len(jobs) - len(open_jobs)
    if len(open_jobs) == 1 and not ended:
        return open_jobs[0]
    seconds = [job.eta_seconds for job in open_jobs]
    last = max((each for each in seconds if each is not None), default=None)
    running = [job for job in open_jobs if job.state == "running"]
    if not running and not ended:
        position = min(job.position for job in open_jobs)
        return Job("queued", position=position, eta_seconds=last)
    done = ended + sum(job.step / job.steps for job in running if job.steps)
    return Job(
        "running",
        step=round(done / (ended + len(open_jobs)) * _CELLS),
        steps=_CELLS,
        eta_seconds=last,
        preview=any(job.preview for job in running),
    )
