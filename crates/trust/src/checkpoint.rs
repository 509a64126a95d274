//! Signed tree heads (C2SP tlog-checkpoint, signed-note).
