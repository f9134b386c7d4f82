"""Small changes of the program, made and judged: what ``make mutate-consensus`` consists of."""
