"""The record, asked: who read what of whom; a member's own view; what a leaked token has read; an answer that strangers can check."""
