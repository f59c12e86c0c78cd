"""What developers run; no package has it. The Makefile says when."""
