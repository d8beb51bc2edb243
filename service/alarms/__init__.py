"""What must reach a person: raised once, recorded, counted, told, and open until somebody has seen to it."""
