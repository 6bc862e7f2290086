//! Integration tests: one binary, because each links polars again.
