"""Models that embed texts on this machine."""
