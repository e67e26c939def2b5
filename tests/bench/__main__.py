"""`make bench`: measure everything in one run and print it. `python -m bench traffic` measures that alone."""

import sys

from bench import figures, idle, import_users, imports, looks, memory, notebooks, portal, resync, traffic

PARTS = {
    "imports": imports,
    "looks": looks,
    "resync": resync,
    "notebooks": notebooks,
    "users": import_users,
    "portal": portal,
    "traffic": traffic,
    "memory": memory,
    "idle": idle,
}

figures.show(figure for name in sys.argv[1:] or PARTS for figure in PARTS[name].measure())
