"""How many members somebody has read of each category in a day, counted before they are told (LB-07)."""
