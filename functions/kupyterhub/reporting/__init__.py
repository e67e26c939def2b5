"""What operators see: one line for each event, and spans and metrics where they are wanted. It decides nothing."""
