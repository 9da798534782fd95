"""The contenders, one a file: see `benchmarks.contender`."""
