"""What the engine writes: who leads, what is unblocked, what is dispatched."""
