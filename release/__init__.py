"""What a release consists of besides the packages; see docs/releasing.md."""
