//! Σ weight × completion on teams with calendars, agreed windows and sequences.
