"""The ways to learn who somebody is, one file each; none knows of the others."""
