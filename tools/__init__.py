"""Small programs for those who work on Menshen; nothing here ships."""
