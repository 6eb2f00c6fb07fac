"""Where the workers are, and what time it is there.

The clock of each worker is tied to this process's by round trips before it gets a tile, and by every task after that
(`render.trace.tied_clock`). The offset that was told once stays as it is for as long as it can be true, so that the
spans of a worker keep their distances.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

from render.backends.dask.messages import Greeting
from render.trace import Span, Worker
from render.trace.tied_clock import TiedClock


class HostClock:
    """A worker's clock on this process's. `error`: by how many ns a time may be wrong, at most, of those told so far.

    is_ours: the worker is on this machine, whose processes have one clock.
    """

    def __init__(self, *, is_ours: bool = False) -> None:
        self.error = 0
        self._tie = None if is_ours else TiedClock(1)
        self._offset = 0
        self._has_learnt = False

    def learn(self, first: int, last: int, sent: int, received: int) -> None:
        """Learn that `first` to `last` of the worker's clock lay between `sent` and `received` of ours."""
        if self._tie is not None:
            self._tie.learn(first, last, sent, received)
            low, high = self._tie.bounds
            self._offset = min(max(self._offset, low), high) if self._has_learnt else (low + high) // 2
            self._has_learnt = True

    def tell(self, spans: Iterable[Span], host: str, sent: int, received: int) -> list[Span]:
        """Tell spans of a task on our clock, which were recorded between `sent` and `received` of it."""
        low, high = (0, 0) if self._tie is None else self._tie.bounds
        offset = self._offset
        self.error = max(self.error, offset - low, high - offset)

        def when(t: int) -> int:
            return min(max(t + offset, sent), received)

        return [
            span._replace(worker=Worker(*span.worker[:3], host), t0=when(span.t0), t1=when(span.t1)) for span in spans
        ]


def describe_hosts(greetings: Sequence[Greeting], clocks: dict[str, HostClock]) -> dict[str, Any]:
    """Make the facts of a trace about hosts and their CPUs; `clocks` by address.

    hosts: as the cluster names them; host_machines: the machine of each, by number, for several hosts (containers, say)
    may be one machine; host_cpus: CPUs that the workers there may use; clock_errors_ns: by how much times of each may
    be wrong, at most; cpus, cpus_machine, cpus_affinity: of all machines together.
    """
    hosts = list(dict.fromkeys(one.host for one in greetings))
    machines = list(dict.fromkeys(one.machine for one in greetings))
    of_host = {host: [one for one in greetings if one.host == host] for host in hosts}
    of_machine = {name: [one for one in greetings if one.machine == name] for name in machines}
    names = "; ".join(dict.fromkeys(one.cpu for one in greetings))
    return {
        "hosts": hosts,
        "host_machines": [machines.index(of_host[host][0].machine) for host in hosts],
        "host_cpus": [count_cpus(of_host[host]) for host in hosts],
        "clock_errors_ns": [
            max((clocks[one.address].error for one in of_host[host] if one.address in clocks), default=0)
            for host in hosts
        ],
        "cpus": sum(map(count_cpus, of_machine.values())),
        "cpus_machine": sum(max(one.cpus for one in ones) for ones in of_machine.values()),
        "cpus_affinity": sum(len({cpu for one in ones for cpu in one.affinity}) for ones in of_machine.values()),
        "cpus_quota": None,
        "cpu": names,
        "device": names,
        "kernel": "; ".join(dict.fromkeys(one.kernel for one in greetings)),
        "load": None,
    }


def count_cpus(greetings: Sequence[Greeting]) -> int:
    """Count the CPUs that workers of one machine may use: those they may be put on, and no more than granted.

    Workers of one host share a quota; each other host has one of its own.
    """
    allowed = len({cpu for one in greetings for cpu in one.affinity})
    quotas: dict[str, float] = {}
    for one in greetings:
        quotas[one.host] = max(quotas.get(one.host, 0.0), allowed if one.quota is None else one.quota)
    return max(min(allowed, ceil(sum(quotas.values()))), 1)
