"""Everything between the edges and the database."""
