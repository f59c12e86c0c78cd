"""The recipe of a picture: what determined its pixels, as its PNG carries it."""

import json

from generator.tasks import Task

KEYWORD = "lookalike"
"""Of the text chunk."""


def write(model: str, task: Task) -> str:
    """The recipe as compact JSON: nothing of who asked, when, or which photo it started from.

    Args:
        model: its name.
        task: what was computed; its words bound the length.
    """
    recipe = {
        "model": model,
        "prompt": task.prompt,
        "negative_prompt": task.negative_prompt,
        "preset": task.preset,
        "width": task.width,
        "height": task.height,
        "steps": task.steps,
        "guidance_scale": float(task.guidance_scale),
        "seed": task.seed,
    }
    if task.init is not None:
        recipe["strength"] = task.init.strength
    return json.dumps(recipe, ensure_ascii=False, separators=(",", ":"))
