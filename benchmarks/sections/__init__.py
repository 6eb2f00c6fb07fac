"""What is measured: each file is a section; `harness` says what one looks like."""
