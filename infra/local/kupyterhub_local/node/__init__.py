"""A node that runs pods as processes of this machine, with their volumes, Services and storage.

The images that pods name are not used: all that a container needs is in its command, environment and mounts.
Notebooks run with the rights of whoever starts the node.
"""
