"""Attention branch networks and their relatives as shell pipelines."""

__version__ = "0.6.0"
