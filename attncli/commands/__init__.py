"""The terminal: one module a subcommand, with its options, its help and one call."""
