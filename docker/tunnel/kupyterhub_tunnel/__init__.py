"""What agent and server share: the multiplexed connection, and the rules that both enforce."""
