"""The layers: each chooses boxes, `base` applies them."""
