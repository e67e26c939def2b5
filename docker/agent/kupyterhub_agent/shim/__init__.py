"""WebSockets where a proxy passes none: a script in the page posts and polls, an endpoint here has the WebSocket."""
