"""Minors: how old somebody is at the moment of a decision, who may answer for a child, and which staff may look."""
