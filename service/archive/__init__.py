"""The log leaves the database: as tiles over HTTP, as a folder for an auditor, as segments for the years; and pruning behind them."""
