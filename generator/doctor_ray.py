"""The doctor's look at Ray Serve, where that computes."""

from generator.executors import chosen
from generator.settings import GeneratorSettings
from generator.tasks import ComputerLost, NotTaken
from lookalike.checks import Finding, failed, ok
from lookalike.errors import StartError

_BUSY_SECONDS = 5.0


def start(settings: GeneratorSettings) -> list[Finding]:
    """Whether a start has what it needs; nobody is asked."""
    try:
        chosen.ray_url(settings)
    except StartError as error:
        return [failed("ray", str(error), "Correct it in .env, or install what is missing.")]
    return []


async def look(settings: GeneratorSettings) -> list[Finding]:
    """How many replicas there are, and with which model."""
    if found := start(settings):
        return found
    from generator.executors.ray import Unauthorized

    executor = chosen.elsewhere(settings)
    try:
        count = await executor.look()
        try:
            doing = f"with {(await executor.ask_model(_BUSY_SECONDS)).name}"
        except NotTaken:
            doing = "and all of them are busy"
    except Unauthorized as error:
        return [failed("ray", str(error), "Give the nodes of Ray the same one.")]
    except (NotTaken, ComputerLost) as error:
        remedy = "Start Ray, and deploy the replicas: docs/ray.md."
        return [failed("ray", f"{str(error).rstrip('.')}.", remedy, passes=True)]
    finally:
        await executor.close()
    return [ok("ray", f"Ray Serve computes in {count} replica(s), {doing}.")]
