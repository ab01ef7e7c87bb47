"""Model providers: clients of model servers, and the built-in offline model."""
