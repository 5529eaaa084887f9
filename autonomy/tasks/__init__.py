"""Durable requests to run skills: submit, states, sessions, settlement."""
