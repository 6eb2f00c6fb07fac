"""Conclusions from traces, the same on every surface.

schedule, claims: how good a schedule was, and what limited it; evidence: a run beside the one it is measured against.
stories: runs that wait for their data, as a server's and a player's do.
sentences: what may be said; chart: lanes as text; document: JSON; repeats: how often a race runs, and what is shown.
explanation: the text of a lesson, which frames carry.
"""
