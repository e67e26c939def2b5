"""One module for each system outside: each turns that system's errors into the tree of `domain.errors`."""
