"""The version of Ganvas, which runs and models carry."""

VERSION = "0.1.0"
