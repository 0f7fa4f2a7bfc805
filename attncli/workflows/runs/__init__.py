"""What every run has: settings, a network, a source of samples, an environment."""
