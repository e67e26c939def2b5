"""Histories: whatever people, clusters, clocks and dying functions do, in whatever order, all ends well.

A stateful property test over the twins. machine.py is what may happen, watch.py what must never happen in between,
truth.py what must be so at the end, once the faults are over and everybody was looked at. `make test` plays some
seconds of it, the same ones each time; `make histories` plays others for ten minutes.
"""
