"""Using what was trained: loading generators, sampling, walking through latent space, the page of a run."""
