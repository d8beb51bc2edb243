"""What the controller owes its overseers: the audit pack, the register, evidence of controls, reviews of rights, and deadlines."""
