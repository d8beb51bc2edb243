"""Telling recipients that a consent has ended, until each of them has confirmed it (PIPL 21, 47)."""
