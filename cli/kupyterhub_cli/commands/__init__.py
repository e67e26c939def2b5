"""One command a file: what is asked on the command line, and what is shown."""
