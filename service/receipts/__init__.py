"""Receipts: what a member can take away and a stranger can check; and the evidence behind one entry of the audit log (LB-09)."""
