"""Many stretches of the stored tree at once."""
