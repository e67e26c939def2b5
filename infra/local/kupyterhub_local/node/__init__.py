"""A node that runs pods as processes of this machine, with their volumes, Services and storage.

Images and security contexts of pods are not used, images are only named in their status: all that a container
needs is in its command, environment and mounts.
Notebooks run with the rights of whoever starts the node.
"""
