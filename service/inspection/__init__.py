"""Questions to the record: who read whose data, what a token saw, what a member may know of it, whose pseudonym this is."""
