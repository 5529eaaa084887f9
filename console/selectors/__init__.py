"""What the command line and the screens show, as plain values with one documented shape each."""
