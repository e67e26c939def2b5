"""`make bench`: measure everything in one run and print it."""

from bench import figures, imports, looks, notebooks

figures.show([*imports.measure(), *looks.measure(), *notebooks.measure()])
