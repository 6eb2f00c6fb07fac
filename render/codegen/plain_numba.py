"""numba unaffected by its environment variables: what users set for their own programs changes nothing of ours.

Checked bounds, debug information or profiling would put calls into the code that no second run could load; dumps would
mix with our output. Only the CPU to compile for, and what concerns GPUs, is heeded.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

HEEDED = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_CUDASIM", "NUMBA_CUDA_", "NUMBA_DISABLE_CUDA")


def select_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Select numba's variables that we heed from an environment."""
    return {name: value for name, value in environment.items() if name.startswith(HEEDED)}


@contextmanager
def import_plainly() -> Iterator[None]:
    """Import numba in here: some values would keep it from being imported. Afterwards it reads what is set."""
    if "numba" in sys.modules:
        yield
        return
    hidden = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_")}
    for name in hidden.keys() - select_variables(hidden):
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
    from numba.core import config

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values that mean nothing to it
        config.reload_config()


@contextmanager
def compile_plainly() -> Iterator[None]:
    """Let numba compile in here. Call it with numba's lock held: its settings are global."""
    from numba.core import config

    config.reload_config()  # or it would do so in the middle of it
    before = {name: value for name, value in vars(config).items() if name.isupper()}
    threads = {"NUMBA_NUM_THREADS": str(config.NUMBA_NUM_THREADS)}  # which cannot be changed once they run
    config._env_reloader.process_environ(select_variables(os.environ) | threads)
    try:
        yield
    finally:
        vars(config).update(before)
