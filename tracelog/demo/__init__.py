"""A chat service with one costly user, a dozen clients, and the answer: who was handled late."""
