"""Take each security check out of the product in turn, and see some test go red."""
