"""The words under which search finds entries."""
