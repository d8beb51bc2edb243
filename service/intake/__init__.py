"""Intake: members from a file that another system wrote, checked row by row."""
