"""From settings to a running system: the one place that knows every concrete class."""
