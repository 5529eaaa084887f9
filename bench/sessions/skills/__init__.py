"""Skills that do nothing, so that what is measured is what runs them."""
