"""Plain HTTP/1.1 to JupyterLab: what a request costs the agent is mostly spent here, so little is done.

connection: one connection, one exchange at a time. pool: those that are idle, and new ones. request: a head's bytes.
"""
