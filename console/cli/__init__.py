"""The command line `autonomy`. Nothing here loads Django before a command needs it."""
