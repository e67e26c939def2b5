"""Whom the shared agent serves: read from Services and Secrets of the namespace, by watches of the API server."""
