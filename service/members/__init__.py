"""Members and their sealed fields: join, update, find."""
