"""`lookalike backup`, `restore` and `move`: rows and bytes, all of them or nothing.

A backup is a tar archive: `manifest.json`, `blobs/` with a member for each photo and picture,
`lookalike.db`, and `SHA256SUMS` of all of these in their order. See docs/decisions/0044-backups.md.
"""
