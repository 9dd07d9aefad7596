"""A ring of keys in KMS: how it is named and tagged, reading it back, and changing it.

``alias/NAME/n`` names a ring's nth key for good; ``alias/NAME`` is the pointer to the one that
signs. Where a key is in its life stands in its tags.
"""
