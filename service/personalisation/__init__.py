"""Personalisation as the member's own choice (PIPL 24): the switch, how each machine decides, the tags and where they came from."""
