"""What comes in from outside: replies, events, bounces and complaints, each of which may end in a no."""
