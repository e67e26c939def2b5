"""Tries a running system with two throw-away users: both become Ready, see no file of the other, and are purged.

The portal, where there is one, asks who one is.
"""
