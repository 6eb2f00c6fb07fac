"""The front end: the command line, the library and the terminal.

cli, parsers, commands: the command line; library, sessions: calls from Python; races: the runs of a race.
terminal, progress: tiles while they are painted, and how long the rest may take; devices: what this machine can run.
saved_pictures: what is done with saved pictures; thumbnail: one on the terminal.
files: those that a command saves; band_files: those of a frame larger than memory, made while it is painted.
saving: a picture drawn into its files; keeping: the journal of an unfinished one.
signals: those that end the program; speech: streams made harmless; hints: suggestions for a misspelt option.
"""
