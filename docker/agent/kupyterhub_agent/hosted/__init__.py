"""Google's hosted inverting proxy: the agent registers each person's e-mail there and polls for their requests."""
