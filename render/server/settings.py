"""Settings of the server, which its owner decides at its start: from options to checked values."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import dataclass
from typing import Any

from render import machine, options
from render.errors import UsageError
from render.server.record import Setting

ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.\-\[\]:]{1,255}")
MOST_WORKERS = 64


@dataclass(frozen=True)
class Settings:
    """Settings of the server: the address, scenes besides our own, who may read it, and how it works."""

    host: str
    port: int
    scenes: tuple[str, ...]
    origin: str | None
    setting: Setting
    quiet: bool = False
    json: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Convert to JSON's types, without the owner's paths."""
        setting = self.setting
        return {
            "workers": setting.workers,
            "processes": setting.processes,
            "switching": setting.switching,
            "slow_data_ms": setting.data_ns / 1e6,
        }


def parse(typed: Namespace) -> Settings:
    """Check the options of `render serve`. Raises UsageError."""
    try:
        port = int(typed.port)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise UsageError(f"port is {typed.port!s:.60}", "give a number from 1 to 65535, or 0 for any that is free")
    if typed.allow_origin is not None and not ORIGIN.fullmatch(typed.allow_origin):
        raise UsageError(
            f"{typed.allow_origin:.60} is no origin", "for example --allow-origin https://example.org, or *"
        )
    usual = 1 if typed.no_switching else machine.default_workers()
    workers = usual if typed.workers is None else options.count_workers(typed.workers)
    if workers > MOST_WORKERS:
        raise UsageError(f"workers is {workers}", f"give {MOST_WORKERS} at most")
    try:
        data_ns = options.parse_duration(typed.slow_data)
    except UsageError as error:
        raise UsageError(error.cause.replace("wait", "slow data", 1), error.remedy) from error
    setting = Setting(workers, not typed.no_switching, data_ns, typed.processes)
    return Settings(typed.host, port, tuple(typed.scene), typed.allow_origin, setting, typed.quiet, typed.json)
