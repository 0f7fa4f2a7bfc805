"""What tests of several rooms are made of: tiny settings, networks, runs, batches, a reporter."""
