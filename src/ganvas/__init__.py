"""Ganvas trains, judges and uses generative adversarial networks on images."""
