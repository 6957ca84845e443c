"""Two records of the same images: by score, class and image, and whether the difference is one."""
