"""Small networks that look at images and say where the crop should be."""
