"""`kupyterhub`, the command: people and their notebooks from a terminal, by Firestore and Pub/Sub alone."""
