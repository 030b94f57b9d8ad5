"""The layers: each chooses boxes, and `base` cuts them out."""
