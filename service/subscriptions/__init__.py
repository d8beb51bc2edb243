"""What members subscribed to, how they leave, and the links by which they do."""
