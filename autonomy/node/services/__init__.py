"""What a node does: claim, run, look for evidence, settle, reconcile."""
