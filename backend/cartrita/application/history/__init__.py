"""What a model is told of a conversation."""
