"""Choose misclassified clips for editing, and make the directory in which people do so."""
