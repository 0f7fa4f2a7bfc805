"""What the tests of several rooms are made of: tiny settings, runs, batches, reporters."""
