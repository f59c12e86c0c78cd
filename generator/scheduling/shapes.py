"""What a job comes to with the model that computes it: its size, its strength, its steps."""

from generator.jobs.order import QueuedJob
from generator.jobs.tables import Job
from generator.tasks import JobShape, ModelInfo, computed_steps


def strength_of(job: QueuedJob | Job, model: ModelInfo) -> float | None:
    """The strength of a job's init image, a step of the dial by the model's number for it.

    Returns:
        None: it has no init image.
    """
    strength = job.init_strength
    if strength is None:
        return None
    return model.dial[strength] if strength in model.dial else float(strength)


def steps_of(job: QueuedJob | Job, model: ModelInfo) -> int:
    """How many steps of a job are computed."""
    return computed_steps(job.steps, strength_of(job, model))


def size_of(job: QueuedJob | Job, model: ModelInfo) -> tuple[int, int]:
    """The width and height of a job's picture."""
    aspect = None
    if job.aspect_width is not None and job.aspect_height is not None:
        aspect = job.aspect_width, job.aspect_height
    return model.size(job.width, job.height, aspect)


def shape_of(job: QueuedJob | Job, model: ModelInfo) -> JobShape:
    """What decides how long a job's steps take."""
    guided = job.guidance_scale > 1
    return JobShape(*size_of(job, model), job.preset, guided, strength_of(job, model))
