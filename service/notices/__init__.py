"""Telling (告知): which version of a notice each member was shown, what they are still to be told, and when nobody need be told."""
