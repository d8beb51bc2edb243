"""Anchors: the newest checkpoint, left with somebody outside every hour or day. One that is out of reach convicts a rewritten log."""
