"""Settings of every method as frozen dataclasses: their fields are options, TOML keys and help."""
