"""The constitution: what may be done with members' data, as data, and pure decisions over it. Imports nothing else of
ours.
"""
