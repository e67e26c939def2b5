"""What the command knows without any I/O: values in, values out."""
