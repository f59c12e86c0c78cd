"""What `serve deploy deploy/ray/serve.yaml` starts: the replicas that compute, and who counts them.

Each node's environment has the settings, as for a generator that computes in its own process.
"""

import asyncio
import logging
import os

from ray import serve
from starlette.types import ASGIApp

from generator.executors import chosen
from generator.executors.wire import ReplicasLine
from generator.ray.ingress import Painter, painter_app, replicas_app
from generator.settings import GeneratorSettings
from lookalike import logs, tracing
from lookalike.errors import StartError
from lookalike.proxies import proxy_for
from lookalike.redaction import all_secrets

_APPLICATION = "painter"
"""Its name in the config; its only deployment is `Painter`."""

_HANDLED = ("ray", "ray.serve")
"""Loggers with handlers of their own, beside the root's."""


def _begin() -> tuple[GeneratorSettings, str]:
    """The settings and the token; from now on the log is redacted.

    Raises:
        StartError: the settings are wrong.
    """
    settings = GeneratorSettings.load()
    token = settings.known_token()
    if token is None:
        raise StartError("SERVICE_TOKEN is not set in the environment of this node of Ray.")
    secrets = all_secrets(settings.secrets())
    logs.configure("painter", secrets, settings.lookalike_log)
    tracing.begin("painter", proxy_for)
    for name in _HANDLED:
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(logs.RedactionFilter(secrets))
    return settings, token


def _build_painter() -> ASGIApp:
    settings, token = _begin()
    painter = Painter(chosen.in_process(settings), chosen.unavailable(settings), _end)
    return painter_app(painter, token)


def _build_replicas() -> ASGIApp:
    async def count() -> ReplicasLine:
        return await asyncio.to_thread(_count)

    return replicas_app(count, _begin()[1])


def _count() -> ReplicasLine:
    application = serve.status().applications.get(_APPLICATION)
    if application is None:
        return ReplicasLine(running=0, ready=False)
    running = sum(
        deployment.replica_states.get("RUNNING", 0)
        for deployment in application.deployments.values()
    )
    return ReplicasLine(running=running, ready=application.status == "RUNNING")


def _end() -> None:
    """Ends this replica; Ray starts another."""
    logging.shutdown()
    os._exit(1)


# One call at a time for each replica: the next ones wait where Ray counts them, for autoscaling,
# and gives each to whoever is free first. A replica that is stopped may finish its batch.
painter = serve.deployment(
    serve.ingress(_build_painter)(),
    name="Painter",
    max_ongoing_requests=1,
    graceful_shutdown_timeout_s=600,
).bind()

replicas = serve.deployment(
    serve.ingress(_build_replicas)(),
    name="Replicas",
    max_ongoing_requests=100,
    ray_actor_options={"num_cpus": 0},
).bind()
