"""Work that was queued for a purpose: whether it may still be done is decided when it is done, and not when it was queued."""
