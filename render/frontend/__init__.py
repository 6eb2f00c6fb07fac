"""What people and programs talk to.

cli, commands: the command line; library, sessions: calls from Python; races: the runs of a race.
terminal, progress: tiles while they are painted, and how long it may take; devices: what this machine can run.
speech: streams that nobody steers; hints: what a wrong option was probably meant to be.
"""
