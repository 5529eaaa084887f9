"""The main job, run for a person who watches: a steward looks after a git repository."""
