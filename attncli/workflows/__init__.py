"""Files in, files out: one module a subcommand; nothing here prints."""
