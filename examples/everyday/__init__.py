"""Small skills for files, folders and sites, to use or to learn from."""
