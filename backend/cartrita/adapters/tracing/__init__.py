"""Traces: what was noted of runs and calls, told to Langfuse and to collectors of OpenTelemetry."""
