"""kmsjwt."""
