"""The coursework: masters, grader, hostile and clumsy submissions, a whole course."""
