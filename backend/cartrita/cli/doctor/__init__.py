"""What `cartrita doctor` looks at: each file checks one kind of thing, and changes nothing."""
