"""The press: frames in, pages and files out. It decides nothing, and reads nothing but its own templates."""
