"""What chapters/other-libraries.yml says of each library, cell by cell, tested against it."""
