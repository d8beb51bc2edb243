"""What guardians ask for, which staff may look at minors, and the yearly account of both."""
