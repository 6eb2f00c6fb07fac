"""The web server that switches between its users: tiles of any scene, an explorer, and the lesson live below it.

    pyramid      a scene as a pyramid of tiles: which window of which frame a tile is, and which tiles there are
    turns        who is next: a queue for each client, and the clients in turn
    workers      threads that paint, each perhaps through a process of its own
    painting     one tile under way: slices, stopped or suspended between two of them
    child        the process of a worker: paints what it is sent, and dies without harm to the server
    service      from a client's wish to its tile: data, queue, painting, cache; who leaves takes the wish along
    cache        tiles that were painted, of bounded size
    record       who wanted what, when it waited and who painted it: the last requests, and their saved trace
    account      what the record proves: how long users waited, and how long the other way round
    clients      who asks: by cookie or address, so many of one address
    guard        what every answer carries, and who is not answered at all
    routes       addresses and their answers
    player       films that are painted while they play, for the page of the player
    downloads    whole pictures, painted in bands that take their turn as tiles do
    settings     what the owner decides at the start
    lesson       what the page below the map shows of the last seconds; figures for machines
    app          the application, and running it
    site         the explorer and the player: one head, and the files that a browser asks for
    pages/*      what stands on them, their styles and scripts; Leaflet, which moves the map (leaflet/LICENSE)

How a request goes: the event loop takes it and lets it wait for its data (`--slow-data`, a timer that stands for a slow
database) beside all others. Then it stands in its client's queue. A free worker asks for the next turn: clients are
served one after the other, each client's tiles in order, and a tile that takes longer than a turn is suspended for the
next client. That is concurrency, of users; with several workers there is parallelism beneath it. With `--no-switching`
a worker does one request from its start to its end, waiting included, and takes no other meanwhile.

Tiles are wished for in common: what several clients want is painted once. A client that leaves takes its wishes along,
and a tile that nobody wants any more is stopped within a slice. Queues, cache, record, sizes, zooms and painting times
are bounded; beyond the bounds a request is refused at once (503 with Retry-After), never kept.
"""
