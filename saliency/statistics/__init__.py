"""How sure a number is: significance, association, contrast. Never a model, never an image."""
