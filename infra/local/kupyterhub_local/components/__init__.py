"""The programs that the local system needs and does not bring along: found or made, and kept in a cache."""
