"""Clients take turns: a queue for each, and no greedy one starves the others. No clock and no thread."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.server.turns import Full, Turns


def taken(turns: Turns[str]) -> str:
    """All jobs in the order of their turns."""
    order = []
    while (turn := turns.take()) is not None:
        order.append(turn[1])
    return "".join(order)


def test_a_greedy_client_gets_one_turn_in_each_round() -> None:
    turns: Turns[str] = Turns(100, 100)
    for number in range(4):
        turns.add("greedy", f"g{number}", "g")
    for client in "abc":
        for number in range(2):
            turns.add(client, f"{client}{number}", client)

    assert taken(turns) == "gabcgabcgg"


def test_a_client_that_asks_again_at_once_waits_for_all_others() -> None:
    turns: Turns[str] = Turns(100, 100)
    for client in "abc":
        turns.add(client, client, client)
    order = []
    for number in range(7):
        turn = turns.take()
        assert turn is not None
        order.append(turn[1])
        turns.add(turn[0], f"{turn[1]}{number}", turn[1])

    assert "".join(order) == "abcabca"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=40))
def test_between_two_turns_of_a_client_nobody_has_two(wishes: list[tuple[int, int]]) -> None:
    """While others wait; and each job comes once, in its client's order."""
    turns: Turns[tuple[int, int]] = Turns(100, 100)
    for client, number in wishes:
        turns.add(client, (client, number), (client, number))
    order = []
    while (turn := turns.take()) is not None:
        order.append(turn[1])

    assert sorted(order) == sorted(set(wishes))
    for client in range(5):
        mine = [place for place, job in enumerate(order) if job[0] == client]
        assert [order[place] for place in mine] == [wish for wish in dict.fromkeys(wishes) if wish[0] == client]
        for one, other in pairwise(mine):
            between = [job[0] for job in order[one + 1 : other]]
            assert len(between) == len(set(between))


def test_what_two_want_is_taken_with_the_first_turn_of_either() -> None:
    turns: Turns[str] = Turns(100, 100)
    for number in range(3):
        turns.add("greedy", number, str(number))
    turns.add("calm", 2, "2")

    assert (len(turns), taken(turns)) == (3, "021")


def test_a_suspended_job_is_first_in_its_queue_and_its_client_last_in_turn() -> None:
    turns: Turns[str] = Turns(100, 100)
    turns.add("a", 1, "long")
    turns.add("a", 2, "next")
    turns.add("b", 3, "other")
    turn = turns.take()
    assert turn == ("a", "long")
    turns.give_back("a", 1, "long")

    assert [turns.take() for _ in range(4)] == [("b", "other"), ("a", "long"), ("a", "next"), None]


def test_queues_are_bounded_and_nothing_is_left_of_what_leaves() -> None:
    turns: Turns[str] = Turns(2, 3)
    turns.add("a", 1, "1")
    turns.add("a", 2, "2")
    with pytest.raises(Full):
        turns.add("a", 3, "3")
    turns.add("b", 1, "1")
    turns.add("b", 4, "4")
    with pytest.raises(Full):
        turns.add("c", 5, "5")
    turns.add("c", 4, "4")  # it is wanted already, so it takes no more room

    assert not turns.remove(1, "a"), "b still wants it"
    assert turns.remove(1, "b")
    assert turns.remove(2)
    assert not turns.remove(4, "b")
    assert turns.remove(4, "c")
    assert (len(turns), turns.count_clients(), turns.take()) == (0, 0, None)
