"""The ways to learn who somebody is, one file or pair of files each; none knows of the others."""
