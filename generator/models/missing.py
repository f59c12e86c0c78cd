"""Whether a model has to be fetched before it can be loaded."""

from generator import models
from generator.models import ModelFormat, layout
from lookalike.errors import StartError


def is_missing(model: str) -> bool:
    """Whether `GENERATOR_MODEL` names a repository on the hub that is not whole on this machine."""
    try:
        source = models.find(model)
    except StartError:
        return False  # it names nothing, which loading says
    return source.format is ModelFormat.HUB and layout.cached(source.location) is None
