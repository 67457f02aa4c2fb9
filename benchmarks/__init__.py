"""What is measured, and the results as they were measured. `python -m benchmarks [NAME...]` runs them."""
