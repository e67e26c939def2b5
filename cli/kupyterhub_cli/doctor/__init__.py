"""Looks for what keeps people from their notebooks, one area a file."""
