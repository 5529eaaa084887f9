"""HEAR: what comes from the outside becomes inbound events here; no connector ships yet."""
