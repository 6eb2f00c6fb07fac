"""Proven by the record: how long users waited for their tiles, and how long they would have, served the other way.

The other way is computed, and said to be: the same requests, at the same times, with the data and the work that each
of them really needed, in an imagined server of as many workers. Its workers do one request from its start to its
end, or let all wait for their data beside each other; either way requests are served in the order in which they came.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from render.trace import Span, Spans
from render.trace.intervals import most_at_once
from render.wording import as_sentence, count, format_time, in_words, join_words

if TYPE_CHECKING:
    from render.server.record import Asked, Setting

SERVED = ("painted", "shared", "cached")
NOTABLE = 1.2  # times: less is called about the same


class Need(NamedTuple):
    """One request: when it came, how long its data took, and how long a worker was busy with it. ns."""

    arrived: int
    data: int
    busy: int


def replay(needs: Sequence[Need], workers: int, *, switching: bool) -> list[int]:
    """Compute how long each of the requests takes, in ns from its arrival, in an imagined server."""
    free, taken = [0] * workers, [0] * len(needs)  # when each worker is free; what each request takes
    ready = sorted((need.arrived + (need.data if switching else 0), number) for number, need in enumerate(needs))
    for since, number in ready:
        need = needs[number]
        end = max(heapq.heappop(free), since) + need.busy + (0 if switching else need.data)
        heapq.heappush(free, end)
        taken[number] = end - need.arrived
    return taken


class Account(NamedTuple):
    """Figures of some served requests: how many, of how many users, and means in seconds.

    `waited`: from a request to its answer; `otherwise`: the same in the imagined server that works the other way.
    """

    requests: int
    users: int
    waited: float
    otherwise: float

    @classmethod
    def of(cls, asked: Sequence[Asked], setting: Setting) -> Account | None:
        """Make up the account of what was served; None where nothing was."""
        served = [one for one in asked if one.outcome in SERVED]
        if not served:
            return None
        needs = [Need(one.arrived, one.waited_ns, one.busy_ns) for one in served]
        otherwise = replay(needs, setting.workers, switching=not setting.switching)
        waited = [one.done - one.arrived for one in served]
        mean = 1e9 * len(served)
        return cls(len(served), len({one.user for one in served}), sum(waited) / mean, sum(otherwise) / mean)


def format_sentences(asked: Sequence[Asked], setting: Setting) -> list[str]:
    """Say what the record shows, in sentences."""
    account = Account.of(asked, setting)
    if account is None:
        return ["Nobody has been served lately."]
    sentences = [_say_waiting(account, setting)]
    painting = _most_at_once([span for one in asked for span in one.paints])
    waiting = _most_at_once([span for one in asked for span in one.waits])
    if setting.data_ns:
        beside = "beside each other: that is concurrency" if waiting > 1 else "at a time"
        sentences.append(f"at most {count(waiting, 'request')} waited for data {beside}")
    if painting:
        several = f"at most {painting} of {setting.workers} workers had a tile at the same instant"
        sentences.append(several if setting.workers > 1 else "the one worker painted one tile at a time")
    shared, gone = (sum(one.outcome == outcome for one in asked) for outcome in ("shared", "gone"))
    notes = [f"{count(shared, 'request')} got a tile that was being painted for another"] * bool(shared)
    notes += [f"{count(gone, 'request')} left before their tile was there"] * bool(gone)
    if notes:
        sentences.append(join_words(notes))
    return [as_sentence(sentence) for sentence in sentences]


def _say_waiting(account: Account, setting: Setting) -> str:
    who = f"{in_words(account.users)} user{'s' if account.users > 1 else ''}"
    each = f"{who} waited {format_time(account.waited)} for a tile on average ({count(account.requests, 'request')})"
    if setting.switching:
        other = f"had {'the' if setting.workers == 1 else f'each of {setting.workers} workers'}"
        other = f"{other}{' worker' * (setting.workers == 1)} done one request at a time"
    else:
        other = "had the server switched between them"
    instead = f"{other}, it would have been {format_time(account.otherwise)}, as computed from these requests"
    low, high = sorted((account.waited, account.otherwise))
    if high < low * NOTABLE:
        return f"{each}; {instead}, which is about the same"
    return f"{each}; {instead}"


def _most_at_once(spans: Sequence[Span]) -> int:
    """Count how many spans hold the same instant, at most."""
    columns = Spans.of(spans)
    return most_at_once(columns.t0, columns.t1)
