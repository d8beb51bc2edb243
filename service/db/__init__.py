"""Tables and connections: the only room that knows which database stands behind Menshen."""
