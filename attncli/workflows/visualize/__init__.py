"""Draw what runs attend to, one module a kind of figure."""
