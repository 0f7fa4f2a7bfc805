"""One reader and one writer for each file format attncli exchanges."""
