"""What is kept on disk: one SQLite file and a folder of files, which survive kill -9."""
