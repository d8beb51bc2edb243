"""The constitution: what may be done with members' data, as data, and pure decisions over it. It imports no other room."""
