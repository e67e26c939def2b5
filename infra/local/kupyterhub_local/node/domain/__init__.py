"""What the node decides, without I/O: values in, values out; clock, files and API objects are handed in."""
