"""Conclusions from traces, the same on every surface.

schedule, claims: how good a schedule was, and what limited it; evidence: a run beside the one it is measured against.
foremost: spans that overlap, as pieces; stories: runs that wait for their data, as a server's and a player's do.
films: the stages of a film; sheets: frames of many small pictures.
speed_up: over the number of workers, with Amdahl's law.
sentences, conclusions: of one run, and of all together, in words; explanation: of a lesson, which frames carry.
incidents: workers lost, tiles resumed; chart: lanes as text; document: JSON.
repeats: how often a race runs, and what is shown.
"""
