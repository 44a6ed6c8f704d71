"""The errors that the command line reports in one line."""


class GradeError(Exception):
    """Something that the instructor can mend; the message says how."""
