"""The whole system on one machine: the same functions, agent and proxy, and stand-ins for Google Cloud."""
