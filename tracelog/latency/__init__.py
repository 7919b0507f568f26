"""The ledger: where an utterance's time went."""
