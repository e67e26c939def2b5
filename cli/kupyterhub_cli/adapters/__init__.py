"""One outside system a file; each turns its errors into the tree of errors.py."""
