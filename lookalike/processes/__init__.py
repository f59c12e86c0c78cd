"""The services as child processes: one of them, or all of them together (`stack.py`)."""

from lookalike.processes.environment import MALLOC_TUNABLES, clean_environment
from lookalike.processes.service import ServiceProcess, service_command

__all__ = ["MALLOC_TUNABLES", "ServiceProcess", "clean_environment", "service_command"]
