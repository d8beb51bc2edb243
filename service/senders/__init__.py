"""What really sends: mail, SMS, WeChat; nothing without a live decision."""
