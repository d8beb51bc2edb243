"""What Menshen costs and where the time goes, measured beside something a user would pick instead (`make bench`)."""
