"""Checkpoints: the log's size and root, signed after its bytes were read again, cosigned by witnesses, published within a second."""
