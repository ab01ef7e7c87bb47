"""The process of one desktop: its X server, its programs, and the gate to both."""
