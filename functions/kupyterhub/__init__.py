"""The controller: a user's Firestore document becomes a JupyterLab on Kubernetes, by one function, `reconcile`."""
