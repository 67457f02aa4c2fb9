"""Data sets that go by a name, one a file; the table of them is in `ganvas.data`."""
