"""Deleting what no basis keeps any more, on the service's own initiative (PIPL 47(1)(3))."""
