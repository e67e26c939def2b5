"""The proxy server: a host name for each user, opened by its owner, served by the agent that dialled in."""
