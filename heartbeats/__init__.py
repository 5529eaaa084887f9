"""NOTICE: detectors, ticks and findings."""
