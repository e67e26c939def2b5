"""What the portal decides, without any I/O."""
