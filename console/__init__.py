"""The operator's face: command line, host processes, admin."""
