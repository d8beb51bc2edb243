"""Oversight, for those who answer for it all: the register of processing and its versions, the measures of PIPL 51 as they are, who may do
what and does, tasks that numbers and dates bring, and the pack for a compliance audit.

It reads everything below and owns its own tables only. It trusts the log for who did what, and people for what only they can have done.
"""
