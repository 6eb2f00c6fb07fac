"""A film: many frames of one scene, painted, encoded and written at the same time.

    path        from keyframes to the parameters of every frame, exact and the same on every machine
    script      what to film: a zoom into a view, or a path of keyframes from a TOML file
    coding      an encoder's contract
    formats     the encoder for a file's name
    mp4, webp   frames to H.264 in MP4 (by PyAV), or to animated WebP (by Pillow): each piece ends whole
    stages      the stages' bounded queues; a film whose stages overlap, and one that does one after the other
    shooting    a script and a file to a film: the stages' work, and what ends them
    command     `render film`: what was typed, progress, report
    screening   a film that is painted for a player, part by part, kept in memory
    viewing     when a browser loaded its parts and played its frames, as spans of its trace
    record      the trace of a film, in which a tile is a frame, and its contact sheet

    paint   |1 1 1|2 2 2|3 3 3|           a stage works on the next frame while the one behind it
    encode        |1 1|  |2 2|  |3 3|     works on this one; queues between them hold a few frames,
    write             |1|   |2|   |3|     so that none runs far ahead

What stands in the file plays at every instant, whatever ends the program.
"""
