"""Two persons: what one alone may not do is asked for by one and allowed by another, once, for a stated reason and a short time."""
