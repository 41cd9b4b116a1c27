"""nnext and its peers, measured on your machine: ``python -m benchmarks --quick`` from the repository's root."""
