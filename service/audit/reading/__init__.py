"""The log's tables as they are read again: page by page to verify them, row by row to show them."""
