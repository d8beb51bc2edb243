"""A C2SP witness and mirror: a server of its own, run elsewhere by somebody else, that remembers how far the log had come."""
