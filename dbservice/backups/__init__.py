"""`lookalike backup` and `lookalike restore`: rows and bytes in one file, whole or not at all.

The file is a tar archive: `manifest.json`, `blobs/` with a member for each photo and picture,
`lookalike.db`, and `SHA256SUMS` of all of these in their order. See docs/decisions/0044-backups.md.
"""
