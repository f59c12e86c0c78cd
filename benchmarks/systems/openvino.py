"""OpenVINO's own pipeline, tuned: static shapes, and bf16 where the processor has it."""

from openvino_genai import Scheduler, Text2ImagePipeline

from benchmarks.systems import PROMPT, Draw, Drawing, Drawn, Mark, Setup
from generator.presets import BALANCED, PRESETS, Solver

_SCHEDULERS = {
    Solver.PNDM: Scheduler.Type.PNDM,
    # It has no DPM-Solver++; this one, too, takes one pass of the UNet for each step.
    Solver.DPM: Scheduler.Type.EULER_DISCRETE,
}

_TUNING = {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY"}


def load(setup: Setup) -> Draw:
    """Loads the converted model; a mark is a pass of the UNet.

    It cannot be stopped between two passes, since it does not wait for its callback. So it draws at
    once, and gives its own measurements afterwards.
    """
    pipeline = Text2ImagePipeline(setup.converted)
    pipeline.reshape(1, setup.side, setup.side, PRESETS[BALANCED].guidance_scale)
    pipeline.compile("CPU", **_TUNING)

    def draw(drawing: Drawing, mark: Mark) -> Drawn:
        (seed,) = drawing.seeds
        config = setup.converted / "scheduler" / "scheduler_config.json"
        pipeline.set_scheduler(Scheduler.from_config(config, _SCHEDULERS[drawing.preset.solver]))
        pipeline.generate(
            PROMPT,
            width=setup.side,
            height=setup.side,
            num_inference_steps=drawing.steps,
            guidance_scale=drawing.preset.guidance_scale,
            rng_seed=seed,
        )
        measured = pipeline.get_performance_metrics()
        passes = [micro / 1e6 for micro in measured.raw_metrics.iteration_durations]
        decoding = measured.get_vae_decoder_infer_duration() / 1e3
        first = measured.get_generate_duration() / 1e3 - decoding - sum(passes[1:])
        for seconds in (first, *passes[1:], decoding):
            mark(seconds)
        return Drawn()

    return draw
