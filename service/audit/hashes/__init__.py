"""Hashes of the tree as they are stored, for proofs and for whoever checks them."""
