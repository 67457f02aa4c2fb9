"""The commands of `ganvas`, each a function whose signature is its options and whose docstring is its help."""
