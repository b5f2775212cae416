"""How dates and numbers look, by language, where it is not as Django has it."""
