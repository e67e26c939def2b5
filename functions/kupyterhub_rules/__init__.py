"""What functions, proxy and command have to compute alike: who an e-mail is, its names, which fields count.

The enrolment script is of another language and has its own copy; tests/vectors/ keeps both equal. The functions'
archive has this package, the proxy's image copies it, and `pip install .` brings it with the command.
"""
