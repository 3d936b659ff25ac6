"""A synthetic country with known truth, for demo, tests and benchmarks; decides nothing and knows no room."""
