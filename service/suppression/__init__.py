"""Who said no: addresses that nothing is written to, whoever holds them by now (RD-06)."""
