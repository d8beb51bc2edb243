"""“May I send?”: decisions, the slots that they reserve, what became of them, and the evidence of each."""
