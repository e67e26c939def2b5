"""Agents that poll: google/inverting-proxy's own, which dials our server from a VM of Google's.

It asks for the ids of pending requests, fetches each and posts its answer: three HTTP exchanges a request, and no
WebSockets. The rest of the server sees it as a carrier like any other.
"""
