"""Who asks, and what ends when they may no longer."""
