"""What should be: pure functions over frozen values. No clock, no environment, no log and no client in here."""
